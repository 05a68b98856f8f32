/** Features: what the whole snippet captures, `build.mjs --cost` leaves out one at a time. */
import { actions } from './actions';
import { feedLoads } from './feeds';
import { longframes } from './longframes';
import { marks } from './marks';
import { quiet } from './quiet';
import { resources } from './resources';
import { vitals } from './vitals';

export const features = [
  vitals,
  quiet,
  feedLoads,
  actions,
  resources,
  longframes,
  marks,
];
