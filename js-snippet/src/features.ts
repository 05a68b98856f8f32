/** Features: what the whole snippet captures, `build.mjs --cost` leaves out one at a time. */
import { actions } from './actions';
import { errors } from './errors';
import { feedLoads } from './feeds';
import { longframes } from './longframes';
import { marks } from './marks';
import { quiet } from './quiet';
import { requests } from './requests';
import { resources } from './resources';
import { vitals } from './vitals';

export const features = [
  requests,
  errors,
  vitals,
  quiet,
  feedLoads,
  actions,
  resources,
  longframes,
  marks,
];
