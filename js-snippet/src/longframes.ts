/** Long frames: animation frames over 50 ms with the script that took longest.
 * https://developer.chrome.com/docs/web-platform/long-animation-frames */
import { observe } from './guard';
import { cleanUrl } from './text';
import { emit } from './view';

export const longframes = (): void =>
  void observe('long-animation-frame', ({ startTime, duration, scripts, renderStart, styleAndLayoutStart: style, blockingDuration: value }) => {
    const end = startTime + duration;
    const longest = scripts.toSorted((a: any, b: any) => b.duration - a.duration)[0] || {};
    let sum = 0;
    scripts.forEach((script: any) => (sum += script.duration));
    emit(startTime, {
      type: 'longframe',
      name: 'frame',
      duration_ms: duration,
      value,
      url: longest.sourceURL && cleanUrl(longest.sourceURL),
      target: longest.sourceFunctionName,
      cause: longest.invoker,
      phases: {
        script_ms: sum,
        render_ms: renderStart && end - renderStart,
        style_ms: style && end - style,
      },
    });
  });
