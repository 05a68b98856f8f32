/** DOM: tells who asks what changes in the document, for as long as they ask; otherwise nothing is observed. */
import { safe, wait } from './guard';
import { now } from './view';

type Call = (records: MutationRecord[]) => void;

const calls = new Set<Call>();
let observer: MutationObserver | undefined;
let end = 0;

const expire = (): void => {
  if (now() < end) return wait(expire, 500);
  observer!.disconnect();
  observer = undefined;
  calls.clear();
};

/** Tells `call` for so many milliseconds from now, or as long as somebody else still asks. */
export const watchDom = (call: Call, ms: number): void => {
  calls.add(call);
  end = Math.max(end, now() + ms);
  if (observer) return;
  observer = new MutationObserver((records) => calls.forEach((call) => safe(call)(records)));
  observer.observe(document, { childList: true, subtree: true, attributes: true, characterData: true });
  expire();
};
