/** Remote config: what the collector wants captured. It is announced by a header, fetched when idle, used from the next
 * load on, and never waited for; the last good copy serves meanwhile, and without one the defaults.
 */
import { options } from './options';
import { chosen, kept, read, write } from './session';

export interface Remote {
  version?: string;
  enabled?: boolean;
  sample_n?: number;
  tracing?: boolean;
  captures?: Record<string, boolean>;
}

const NAME = '.config';
let copy: Remote | undefined;

/** Read when it is first needed: touching storage costs a page milliseconds while it loads. */
export const remote = (): Remote => (copy ||= read(NAME) || {});

/** Whether events of a type are wanted; all are until told otherwise. The switches have plural names. */
export const captures = (type: string): boolean =>
  remote().captures?.[type === 'fetch' ? 'fetches' : type + 's'] !== false;

let n: number | undefined;

/** The session stands for so many: one of `n` for all of them; none, if it was not chosen. */
export const weight = (): number => {
  n ??= Math.round((remote().sample_n || options.sample) as number) || 1;
  return chosen(n) ? n : 0;
};

/** Whether the session is sent: chosen, or kept because of an error. */
export const sampled = (): boolean => weight() > 0 || (FULL && kept());

let asked: string | null | undefined;

/** A reply named the version that holds now; `get` is the fetch we have not patched. */
export const announced = (version: string | null, get: typeof fetch): void => {
  if (!version || version === asked || version === remote().version) return;
  asked = version;
  (window.requestIdleCallback || setTimeout)(
    () =>
      get(options.url!.replace(/b$/, 'c/' + options.key), { credentials: 'omit' })
        .then((reply): unknown => reply.ok && reply.json().then((fresh) => write(fresh, NAME)))
        // Away: the copy we have serves on.
        .catch(() => {}),
    // A page that draws nothing may never be idle.
    { timeout: 5000 } as any,
  );
};
