/** The npm entry: `import { init } from "farside"`. Nothing starts before `init`. */
import { use } from './api';
import { features } from './features';

export const farside = use(features);
export const { init, route, user, set, flag, error, mark, span, consent, optOut } = farside;
