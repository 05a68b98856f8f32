/** Marks: the page's own User Timing and Element Timing. */
import { observe } from './guard';
import { emit } from './view';

export const marks = (): void => {
  ['mark', 'measure', 'element'].forEach((initiator) =>
    observe(initiator, (e) =>
      emit(e.startTime || e.renderTime, {
        type: 'mark',
        name: e.identifier || e.name,
        initiator,
        duration_ms: initiator === 'measure' && e.duration,
      }),
    ),
  );
};
