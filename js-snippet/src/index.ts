/** farside.js: everything. */
import { install } from './api';
import { errors } from './errors';
import { requests } from './requests';
import { vitals } from './vitals';

install([vitals, errors, requests]);
