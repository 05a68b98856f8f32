/** Marks: the page's own User Timing and Element Timing. */
import { observe } from './guard';
import { emit } from './view';

export const marks = (): void => {
  for (const initiator of ['mark', 'measure', 'element'])
    observe(initiator, ({ name, identifier, startTime, renderTime, duration }) =>
      emit('mark', startTime || renderTime, {
        name: identifier || name,
        initiator,
        duration_ms: initiator === 'measure' ? duration : undefined,
      }),
    );
};
