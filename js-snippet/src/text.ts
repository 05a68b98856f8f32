/** Text: how values are made fit to leave the page. Limits are those of docs/wire.md. */
import { list, options } from './options';

/** Cuts to the limit without splitting a surrogate pair, and mends text that was broken before. */
export const cut = (text: unknown, limit: number): string => {
  const s = ('' + text).slice(0, limit).replace(/[\uD800-\uDBFF]$/, '') as string & { toWellFormed?(): string };
  return s.toWellFormed ? s.toWellFormed() : s;
};

/** Milliseconds to a tenth: the clock's own grain in most browsers is no finer. */
export const tenth = (ms: number): number => Math.round(ms * 10) / 10;

/** Random lower-case hexadecimal digits. */
export const hex = (bytes: number): string => {
  let s = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(bytes))) s += (byte + 256).toString(16).slice(1);
  return s;
};

/** An address without fragment, and without any query value nobody allowed; of our own origin, the path alone. */
export const cleanUrl = (address: string, whole?: boolean): string => {
  let url: URL;
  try {
    url = new URL(address, document.baseURI);
  } catch {
    return '';
  }
  // data: and blob: addresses are content, not places.
  if (!url.protocol.startsWith('http')) return url.protocol;
  const kept = new URLSearchParams();
  for (const name of list(options.queryAllow)) for (const v of url.searchParams.getAll(name)) kept.append(name, v);
  const query = '' + kept;
  return cut(
    (whole || url.origin !== location.origin ? url.origin : '') + url.pathname + (query && '?' + query),
    2048,
  );
};

/** A name for an element that survives a rebuild as well as can be: no text, no values, no generated ids. */
export const selector = (node: Node | null | undefined): string | undefined => {
  let path = '';
  for (let el = node as Element | null, depth = 0; el && el.nodeType === 1 && depth < 4; depth++) {
    const name = el.getAttribute('data-farside-name') || el.getAttribute('data-testid');
    // Numbers of three digits and more, and colons, are what frameworks put into generated ids.
    const id = el.id && !/\d{3}|:/.test(el.id) && el.id;
    const part = name
      ? `[${name}]`
      : id
        ? '#' + id
        : [el.localName, ...[...el.classList].slice(0, 2)].join('.');
    path = part + (path && '>' + path);
    if (name || id) break;
    el = el.parentElement;
  }
  return path ? cut(path, 128) : undefined;
};
