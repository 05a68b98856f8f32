/** Remote config: what the collector wants captured. It is announced by a header, fetched when idle, used from the next
 * load on, and never waited for; the last good copy serves meanwhile, and without one the defaults.
 */
import { options } from './options';
import { allowed, KEY, read, write } from './session';

export interface Remote {
  version?: string;
  enabled?: boolean;
  sample_n?: number;
  tracing?: boolean;
  captures?: Record<string, boolean>;
}

export let remote: Remote = {};

const CONFIG = KEY + '.config';

export const loadRemote = (): void => {
  remote = (allowed() && read(CONFIG)) || {};
};

/** Whether a capture is switched on; all are until told otherwise. */
export const captures = (name: string): boolean => remote.captures?.[name] !== false;

let asked: string | undefined;

/** A reply named the version that holds now; `get` is the fetch nobody has patched. */
export const announced = (version: string | null, get: typeof fetch): void => {
  if (!version || version === remote.version || version === asked || !allowed()) return;
  asked = version;
  const ask = () =>
    get(options.url!.replace(/b(\?.*)?$/, 'c/' + options.key), { credentials: 'omit' })
      .then((reply) => (reply.ok ? reply.json() : 0))
      .then((fresh) => fresh && write(CONFIG, fresh))
      .catch(() => {});
  if ('requestIdleCallback' in window) requestIdleCallback(ask, { timeout: 5000 });
  else setTimeout(ask, 2000);
};
