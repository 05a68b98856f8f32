/** Quiet: a soft view has loaded when nothing was asked for and nothing changed for half a second. */
import { wait } from './guard';
import { watchDom } from './dom';
import { inFlight } from './requests';
import { change, hooks, now, view } from './view';

const WINDOW = 500;
const PATIENCE = 10_000;

export const quiet = (): void => {
  hooks._soft = () => {
    const v = view;
    let busyAt = now();
    watchDom(() => {
      busyAt = now();
    }, PATIENCE);
    const check = () => {
      const t = now();
      if (inFlight(v)) busyAt = t;
      if (t - busyAt < WINDOW && t - v._created < PATIENCE) wait(check, 100);
      else {
        v._event.duration_ms = busyAt - v._origin;
        change(v, v._event);
      }
    };
    check();
  };
};
