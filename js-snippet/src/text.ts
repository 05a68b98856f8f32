/** Text: how values are made fit to leave the page. Limits are those of docs/wire.md. */
import { list, options } from './options';

/** Cuts to the limit; half a surrogate pair, cut by us or broken before, becomes U+FFFD. */
export const cut = (text: unknown, limit: number): string => {
  const s: any = ('' + text).slice(0, limit);
  return s.toWellFormed?.() ?? s;
};

/** Random lower-case hexadecimal digits. */
export const hex = (bytes: number): string =>
{
  let s = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(bytes))) s += (byte + 256).toString(16).slice(1);
  return s;
};

/** An address (one that is none throws) without fragment, and without any query value nobody allowed; of our own origin, the path alone. */
export const cleanUrl = (address: string, whole?: boolean): string => {
  const url = new URL(address, document.baseURI);
  const { origin, pathname, protocol, searchParams } = url;
  // data: and blob: addresses are content, not places.
  if (!/^http/.test(protocol)) return protocol;
  const allowed = list(options.queryAllow);
  for (const [name] of [...searchParams]) if (!allowed.includes(name)) searchParams.delete(name);
  return (whole || origin !== location.origin ? origin : '') + pathname + url.search;
};

/** A name for an element that survives a rebuild as well as can be: no text, no values, no generated ids. */
export const selector = (node: any): string => {
  let path = '';
  for (let depth = 0; node && node.nodeType === 1 && depth < 4; depth++, node = node.parentElement) {
    const name = node.getAttribute('data-farside-name');
    // Numbers of three digits and more, and colons, are what frameworks put into generated ids.
    const id = name ? `[${name}]` : node.id && !/\d{3}|:/.test(node.id) ? '#' + node.id : '';
    path = (id || [node.localName, ...node.classList].slice(0, 3).join('.')) + (path && '>' + path);
    if (id) break;
  }
  return path;
};
