/** Text: how values are made fit to leave the page. Limits are those of docs/wire.md. */
import { list, options } from './options';

/** Cuts to the limit; half a surrogate pair, cut by us or broken before, becomes U+FFFD. */
export const cut = (text: unknown, limit: number): string => {
  const s: any = ('' + text).slice(0, limit);
  return s.toWellFormed?.() ?? s;
};

/** Random lower-case hexadecimal digits, eight for each word. */
export const hex = (words: number): string =>
  [...crypto.getRandomValues(new Uint32Array(words))].map((word) => (word + 2 ** 32).toString(16).slice(1)).join('');

/** An address (one that is none throws) without fragment, and without any query value nobody allowed; of our own origin, the path alone. */
export const cleanUrl = (address: string, whole?: boolean): string => {
  const { origin, pathname, protocol, search } = new URL(address, document.baseURI);
  // data: and blob: addresses are content, not places.
  if (!protocol.startsWith('http')) return protocol;
  const allowed = list(options.queryAllow);
  // As text: the first URLSearchParams of a page costs it 4 KB of heap.
  const kept = search.slice(1).split('&').filter((part) => allowed.includes(part.split('=')[0]!));
  return (whole || origin !== location.origin ? origin : '') + pathname + (kept[0] ? '?' + kept.join('&') : '');
};

/** A name for an element that survives a rebuild as well as can be: no text, no values, no generated ids. */
export const selector = (node: any): string => {
  let path = '';
  for (let depth = 0; node && node.nodeType === 1 && depth < 4; depth++, node = node.parentElement) {
    const name = node.getAttribute('data-farside-name');
    // Numbers of three digits and more, and colons, are what frameworks put into generated ids.
    const id = name ? `[${name}]` : node.id && !/\d{3}|:/.test(node.id) ? '#' + node.id : '';
    path = (id || (node.localName + ' ' + (node.getAttribute('class') || '')).match(/\S+/g)!.slice(0, 3).join('.')) + (path && '>' + path);
    if (id) break;
  }
  return path;
};
