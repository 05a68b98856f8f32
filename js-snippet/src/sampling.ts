/** Sampling: a session is recorded whole or not at all, and everybody who knows its id comes to the same answer. */
import { options } from './options';
import { remote } from './remote';
import { view } from './view';

/** The session stands for so many. */
export const sample = (): number => Math.max(1, Math.round(+(remote.sample_n || options.sample || 1)) || 1);

/** The id is random, so its first 32 bits are as good a hash as any: recorded when they fall into the first n-th. */
export const sampled = (): boolean => parseInt(view._session.slice(0, 8), 16) * sample() < 2 ** 32;
