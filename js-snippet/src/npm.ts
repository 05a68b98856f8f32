/** The npm entry: `import { init } from "farside"`. Nothing starts before `init`. */
import { use } from './api';
import { errors } from './errors';
import { feedLoads } from './feeds';
import { requests } from './requests';
import { vitals } from './vitals';

export const farside = use([vitals, errors, requests, feedLoads]);
export const { init, route, user, set, flag, error, mark, span, consent, optOut } = farside;
