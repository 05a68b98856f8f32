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
}

export const KEY = 'farside';
let memory: Stored = {};
let consented = false;

/** Whether anything may be stored or sent. */
export const allowed = (): boolean => options.consent !== 'required' || consented;

export const read = (key: string): any => {
  try {
    return JSON.parse(localStorage.getItem(key) || '0');
  } catch {
    return 0; // storage is forbidden here, or somebody else wrote there
  }
};

export const write = (key: string, value: unknown): void => {
  try {
    if (value) localStorage.setItem(key, JSON.stringify(value));
    else localStorage.removeItem(key);
  } catch {
    // Full or forbidden: memory has to do.
  }
};

/** The session's id; opens another session when the last one has ended. */
export const sessionId = (): string => {
  const t = Date.now();
  const s: Stored = (allowed() && read(KEY)) || memory;
  // A clock set back must not make a session immortal, hence both ends.
  const alive = s.s && Math.abs(t - s.l!) < 18e5 && Math.abs(t - s.t!) < 432e5;
  memory = alive ? { ...s, l: t } : { s: hex(16), t, l: t };
  if (allowed()) write(KEY, memory);
  return memory.s!;
};

/** Says that the session is alive. */
export const touch = (): void => {
  memory.l = Date.now();
  if (allowed() && memory.s) write(KEY, memory);
};

export const consent = (): void => {
  consented = true;
  touch();
};

export const optedOut = (): boolean => !!(read(KEY) as Stored).o;

export const forget = (): void => write(KEY, (memory = { o: 1 }));
