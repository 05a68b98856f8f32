/** Actions: clicks by the name of what was clicked; the angry ones, and those that did nothing. */
import { crumb } from './breadcrumbs';
import { last } from './cause';
import { watchDom } from './dom';
import { on, wait } from './guard';
import { inFlight } from './requests';
import { again, emit, view } from './view';
import type { Event } from './wire';

/** What looks as if a click did something. Fields take the focus, which is something. */
const PROMISING = 'a,button,summary,[role=button],[onclick],[type=button],[type=submit]';
const DEAD_AFTER = 1000;

export const actions = (): void => {
  /** Signs of life since the page began. */
  let signs = 0;
  const sign = () => void signs++;
  let before: Event | undefined;
  let at = 0;
  on('click', (event) => {
    if (!event.isTrusted) return;
    const v = view;
    const t = event.timeStamp;
    const target = last._target;
    crumb('click', target, t);
    if (before?.target === target && t - at < 1000 && v._events.includes(before)) {
      at = t;
      again(v, before);
      if (before.count! > 2) before.name = 'rage_click';
      return;
    }
    at = t;
    const action = (before = emit(t, { type: 'action', name: 'click', target }));
    if (!event.target.closest(PROMISING)) return;
    watchDom(sign, DEAD_AFTER);
    const then = signs;
    wait(() => {
      if (signs !== then || view !== v || inFlight(v) || action.name !== 'click') return;
      // The click may have left meanwhile, so that nothing came of it is an event of its own.
      emit(t, { type: 'action', name: 'dead_click', target }, v);
    }, DEAD_AFTER);
  });
  on('scroll focusin input submit blur', sign);
};
