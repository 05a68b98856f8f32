/** Long frames: animation frames over 50 ms with the script that took longest.
 * https://developer.chrome.com/docs/web-platform/long-animation-frames */
import { observe } from './guard';
import { cleanUrl } from './text';
import { emit } from './view';

export const longframes = (): void =>
  void observe('long-animation-frame', ({ startTime, duration, scripts, renderStart, styleAndLayoutStart, blockingDuration }) => {
    const end = startTime + duration;
    let sum = 0;
    let longest: any = {};
    for (const script of scripts) {
      sum += script.duration;
      if (!(longest.duration > script.duration)) longest = script;
    }
    emit('longframe', startTime, {
      name: 'frame',
      duration_ms: duration,
      value: blockingDuration,
      url: longest.sourceURL && cleanUrl(longest.sourceURL),
      target: longest.sourceFunctionName,
      cause: longest.invoker,
      phases: {
        script_ms: sum,
        render_ms: renderStart && end - renderStart,
        style_ms: styleAndLayoutStart && end - styleAndLayoutStart,
      },
    });
  });
