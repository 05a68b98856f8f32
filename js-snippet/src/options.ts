/** Options: what the page told us, by `data-*` attributes of our script tag or by `farside.init({...})`. */

/** Every option is also a `data-*` attribute: `traceOrigins` is `data-trace-origins`. Lists may be text, parted by spaces or commas. */
export interface Options {
  /** The app's public write key. */
  key: string;
  /** Where beacons go; by default `b` beside the script. */
  url?: string;
  /** The templated path of the first view, if the page knows it. */
  route?: string;
  release?: string;
  environment?: string;
  /** An opaque id of the person. */
  user?: string;
  /** Other origins whose requests may carry `traceparent`; compared exactly. */
  traceOrigins?: string | string[];
  /** Names of query parameters that may be kept. */
  queryAllow?: string | string[];
  /** `required`: keep everything in memory and send nothing until `farside.consent()`. */
  consent?: string;
  /** Which privacy signals stop the snippet: `gpc`, `dnt` or both. */
  respect?: string | string[];
  /** One session of so many is recorded; the collector's remote config overrules it. */
  sample?: number | string;
}

export let options = {} as Options;

/** The object the page is given: it may assign to `release`, which wins over the option. */
export const given: { release?: string } = {};

/** Our own script element, taken while it runs: later `currentScript` is somebody else's. */
export const script = globalThis.document?.currentScript as HTMLScriptElement | null | undefined;

/** An array and text with commas or spaces mean the same. (The first split by a pattern costs a page 4 KB of heap.) */
export const list = (value?: string | string[]): string[] => ('' + value).match(/[^\s,]+/g) || [];

export const setOptions = (more: Partial<Options>): void => {
  options = { ...options, ...more };
  // A script served from a path prefix sends to the same prefix: /x/farside.js → /x/b.
  options.url ||= new URL('b', script?.src || location.href).href;
};
