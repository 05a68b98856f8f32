/** The npm entry: `import { init } from "farside"`. Nothing starts before `init`. */
import { use } from './api';
import { errors } from './errors';
import { requests } from './requests';
import { vitals } from './vitals';

export const farside = use([vitals, errors, requests]);
export const { init, route, user, set, flag, error, mark, span, consent, optOut } = farside;
