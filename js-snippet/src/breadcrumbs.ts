/** Breadcrumbs: the last twenty things that happened before an error. */
import { cut, tenth } from './text';
import { now, view } from './view';

const crumbs: [at: number, kind: string, text: string][] = [];

export const crumb = (kind: string, text = '', at = now()): void => {
  crumbs.push([at, kind, cut(text, 120)]);
  if (crumbs.length > 20) crumbs.shift();
};

/** As JSON text, times in the view's own time. */
export const trail = (): string | undefined =>
  crumbs.length
    ? JSON.stringify(crumbs.map(([at, kind, text]) => [Math.round(tenth(at - view._origin)), kind, text]))
    : undefined;
