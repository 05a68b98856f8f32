/** Quiet: a soft view has loaded when nothing was asked for and nothing changed for half a second. */
import { watchDom } from './dom';
import { soft } from './navigation';
import { inFlight } from './requests';
import { change, now, view } from './view';

const WINDOW = 500;
const PATIENCE = 10_000;

export const quiet = (): void => {
  soft._begin = () => {
    const v = view;
    let busyAt = now();
    watchDom(() => {
      busyAt = now();
    }, PATIENCE);
    const check = () => {
      const t = now();
      if (inFlight(v)) busyAt = t;
      if (t - busyAt < WINDOW && t - v._created < PATIENCE) setTimeout(check, 100);
      else {
        v._event.duration_ms = busyAt - v._origin;
        change(v);
      }
    };
    check();
  };
};
