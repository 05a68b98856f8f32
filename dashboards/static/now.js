// The tail: rows come rendered and escaped from the same template as the page; this puts them on top, and holds still.
'use strict';

const list = document.querySelector('[data-tail]');
const state = document.querySelector('[data-state]');
const pause = document.querySelector('[data-pause]');
const frozenLink = document.querySelector('[data-frozen]');
const leftOut = document.querySelector('[data-left]');
const MOST = 300;
let source = null;
let skipped = 0;
let here = location.href;

const say = (words, isOn) => {
  state.textContent = words;
  state.classList.toggle('on', isOn);
};

const listen = () => {
  source = new EventSource(list.dataset.tail);
  source.addEventListener('open', () => say('live', true));
  source.addEventListener('error', () => {
    // A reply that is no stream (too many tails) closes the source for good; anything else is tried again by the browser.
    if (source.readyState === EventSource.CLOSED) {
      say('too many readers: trying again in 30 s', false);
      setTimeout(() => pause.textContent === 'Pause' && listen(), 30000);
    } else say('reconnecting …', false);
  });
  source.addEventListener('trouble', (event) => say(event.data, false));
  source.addEventListener('arrived', (event) => {
    const { html, left_out: left, frozen } = JSON.parse(event.data);
    const rows = document.createElement('template');
    rows.innerHTML = html;
    for (const row of rows.content.querySelectorAll('.arrival')) row.classList.add('fresh-one');
    list.prepend(rows.content);
    while (list.children.length > MOST) list.lastElementChild.remove();
    document.querySelector('[data-empty]')?.remove();
    frozenLink.href = frozen;
    const tail = new URL(list.dataset.tail, location.href);
    tail.searchParams.set('since', event.lastEventId);
    list.dataset.tail = tail.href;
    skipped += left;
    leftOut.hidden = !skipped;
    leftOut.textContent = `${skipped.toLocaleString('en')} more came in between than a second's rows; narrow the tail to see all of few.`;
    say('live', true);
  });
};

pause.hidden = false;
pause.addEventListener('click', () => {
  if (source) {
    source.close();
    source = null;
    pause.textContent = 'Go on';
    say('paused: the address is a link to this moment', false);
    history.replaceState(null, '', frozenLink.href);
  } else {
    pause.textContent = 'Pause';
    history.replaceState(null, '', here);
    listen();
  }
});
addEventListener('pagehide', () => source?.close());
listen();
