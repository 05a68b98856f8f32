/** Breadcrumbs: the last twenty things that happened before an error. */
import { cut } from './text';
import { now, view } from './view';

const crumbs: [at: number, kind: string, text: string][] = [];

export const crumb = (kind: string, text = '', at = now()): void => {
  crumbs.push([at, kind, cut(text, 99)]);
  if (crumbs.length > 20) crumbs.shift();
};

/** As JSON text, times in the view's own time. */
export const trail = (): string | undefined =>
  crumbs[0] && JSON.stringify(crumbs.map(([at, ...crumb]) => [Math.round(at - view._origin), ...crumb]));
