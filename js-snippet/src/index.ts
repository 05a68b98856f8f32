/** farside.js: everything. */
import { install } from './api';
import { errors } from './errors';
import { feedLoads } from './feeds';
import { requests } from './requests';
import { vitals } from './vitals';

install([vitals, errors, requests, feedLoads]);
