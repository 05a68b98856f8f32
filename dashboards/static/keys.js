// Everything by keys: ? says which. Letters work anywhere but where one types, and never with Ctrl, Alt or the command key.
'use strict';

{
  const help = document.querySelector('#keys');
  const search = document.querySelector('.search input[type=search]');
  const told = document.querySelector('#told');
  const button = document.querySelector('button.help');
  const ROWS = 'main :is(table tbody tr, ol.views > li, ol.timeline > li:not(.pause), ol.arrivals > li, ol.findings > li)';
  let afterG = 0;
  let toldTimer = 0;

  const say = (words) => {
    told.textContent = words;
    clearTimeout(toldTimer);
    toldTimer = setTimeout(() => (told.textContent = ''), 4000);
  };

  const rows = () => [...document.querySelectorAll(ROWS)].filter((row) => row.checkVisibility() && row.querySelector('a[href]'));
  const here = () => document.querySelector('.row-here');

  const step = (by) => {
    const all = rows();
    if (!all.length) return say('There are no rows on this page.');
    const at = all.indexOf(document.activeElement.closest?.(ROWS) || here());
    const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by))];
    here()?.classList.remove('row-here');
    next.classList.add('row-here');
    next.querySelector('a[href]').focus();
    next.scrollIntoView({ block: 'nearest' });
  };

  // The row that is focused says what to compare, if its link asks about something of its own; else the page does.
  const compare = () => {
    const path = document.body.dataset.compare;
    if (!path) return say('This Farside has no comparison.');
    const link = document.activeElement.closest?.(ROWS) && document.activeElement.href ? new URL(document.activeElement.href) : null;
    const to = new URL(path, location.href);
    if (link?.searchParams.get('app') && !/^\/(views|traces)\//.test(link.pathname)) {
      to.search = link.search;
      to.searchParams.set('compare', 'rest');
    }
    location.assign(to);
  };

  const copy = async () => {
    const pinned = new URL(document.body.dataset.pinned || location.href, location.href);
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (!pinned.searchParams.has(name) && name !== 'wait') pinned.searchParams.append(name, value);
    }
    try {
      await navigator.clipboard.writeText(pinned.href);
      say('Copied: a link to what you see, as of now.');
    } catch {
      // Without https there is no clipboard: the address bar is the next best place to copy from.
      history.replaceState(null, '', pinned);
      say('The address is now a link to what you see.');
    }
  };

  const go = (letter) => {
    const link = document.querySelector(`a[data-go="${CSS.escape(letter)}"]`);
    if (link) location.assign(link.href);
    else say(`g ${letter} leads nowhere; ? says what does.`);
  };

  const keys = {
    '?': () => (help.open ? help.close() : help.showModal()),
    '/': () => (search.focus(), search.select()),
    j: () => step(1),
    k: () => step(-1),
    c: compare,
    y: copy,
    g: () => (afterG = Date.now()),
  };

  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.('input, select, textarea, [contenteditable]')) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    const isSecond = Date.now() - afterG < 1500;
    afterG = 0;
    if (help.open && event.key !== '?') return;
    const act = isSecond && /^[a-z]$/.test(event.key) ? () => go(event.key) : keys[event.key];
    if (!act || (event.key === '/' && !search)) return;
    event.preventDefault();
    act();
  });

  button.hidden = false;
  button.addEventListener('click', () => help.showModal());
}
