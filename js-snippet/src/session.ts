/** Session: one visitor's run of views, 30 minutes idle and 12 hours at most.
 *
 * A random id in localStorage, no cookie. Until consent (where it is asked for) the id lives in memory alone.
 */
import { options } from './options';
import { hex } from './text';

interface Stored {
  /** id, start, last sign of life */
  s?: string;
  t?: number;
  l?: number;
  /** opted out */
  o?: 1;
  /** had an error, though it was not chosen */
  e?: 1;
}

const KEY = 'farside';
let memory: Stored = {};
let consented = false;

/** Whether anything may be stored or sent. */
export const allowed = (): boolean => options.consent !== 'required' || consented;

/** What is kept under a name of ours, if anything. */
export const read = (name = ''): any => {
  try {
    return (allowed() && JSON.parse(localStorage.getItem(KEY + name)!)) || 0;
  } catch {
    return 0; // storage is forbidden here, or somebody else wrote there
  }
};

export const write = (value: unknown, name = ''): void => {
  try {
    if (allowed()) localStorage.setItem(KEY + name, JSON.stringify(value));
  } catch {
    // Full or forbidden: memory has to do.
  }
};

/** The session's id; opens another session when the last one has ended. */
export const sessionId = (): string => {
  const t = Date.now();
  memory = read() || memory;
  if (!(t - memory.l! < 18e5 && t - memory.t! < 432e5)) memory = { s: hex(4), t };
  touch();
  return memory.s!;
};

/** Says that the session is alive, once a minute: to write costs the page more than to say. */
export const touch = (): void => {
  const t = Date.now();
  if (t - memory.l! < 6e4) return;
  memory.l = t;
  write(memory);
};

export const consent = (): void => {
  consented = true;
  write(memory);
};

export const optedOut = (): boolean => read().o;

export const forget = (): void => {
  consented = true; // to be forgotten has to be remembered
  write((memory = { o: 1 }));
};

/** One session of `n` is recorded whole. Its id is random, so the first 32 bits are as good a hash as any, and whoever
 * knows the id comes to the same answer. */
export const chosen = (n: number): boolean => n < 2 || parseInt(sessionId().slice(0, 8), 16) * n < 2 ** 32;

/** Whether the session, though not chosen, is kept from its first error on. */
export const kept = (): boolean => !!memory.e;

export const keep = (): void => {
  sessionId();
  memory.e = 1;
  write(memory);
};
