/** farside.core.js: vitals, errors and the tracing of requests, nothing else. */
import { install } from './api';
import { errors } from './errors';
import { requests } from './requests';
import { vitals } from './vitals';

install([requests, errors, vitals]);
