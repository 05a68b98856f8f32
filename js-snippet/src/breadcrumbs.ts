/** Breadcrumbs: the last twenty things that happened before an error. */
import { cut } from './text';
import { atIn, now, view } from './view';

interface Crumb {
  _at: number;
  _kind: string;
  _text: string;
  _times: number;
}

const crumbs: Crumb[] = [];

/** What happens again and again is one crumb, which says how often. */
export const crumb = (kind: string, text = '', at = now()): void => {
  text = cut(text, 99);
  const same = crumbs.at(-1)?._text === text && crumbs.pop();
  crumbs.push({ _at: at, _kind: kind, _text: text, _times: same ? same._times + 1 : 1 });
  if (crumbs.length > 20) crumbs.shift();
};

/** As texts, times in the view's own time. By toFixed, for V8 remembers whole numbers that become text: up to 64 KB. */
export const trail = (): string[] =>
  crumbs.map((c) => `${atIn(view, c._at).toFixed()} ${c._kind} ${c._text}${c._times > 1 ? ' ×' + c._times : ''}`);
