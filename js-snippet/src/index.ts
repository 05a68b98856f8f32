/** farside.js: everything. */
import { install } from './api';
import { features } from './features';

install(features);
