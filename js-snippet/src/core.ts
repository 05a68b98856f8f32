/** farside.core.js: vitals, errors and the tracing of requests, nothing else. */
import { install } from './api';
import { vitals } from './vitals';

install([vitals]);
