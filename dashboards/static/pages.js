// What pages do beyond being read: switch the theme, tell the age of the data, walk a tree by keys, copy, wait.
'use strict';

const root = document.documentElement;

const theme = document.querySelector('button.theme');
if (theme) {
  const system = matchMedia('(prefers-color-scheme: dark)');
  theme.hidden = false;
  theme.addEventListener('click', () => {
    const isDark = root.dataset.theme ? root.dataset.theme === 'dark' : system.matches;
    root.dataset.theme = isDark ? 'light' : 'dark';
    try {
      localStorage.setItem('farside-theme', root.dataset.theme);
    } catch {
      // It holds for this page then.
    }
  });
}

// On a narrow screen the row of pages scrolls: begin where the reader is.
const pages = document.querySelector('.top nav[aria-label="Pages"]');
const current = pages?.querySelector('[aria-current]');
if (current) pages.scrollLeft = current.offsetLeft - (pages.clientWidth - current.offsetWidth) / 2;

const ago = (ms) => {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 100) return `${s}\u202fs ago`;
  if (s < 6000) return `${Math.round(s / 60)}\u202fmin ago`;
  return s < 172800 ? `${Math.round(s / 3600)}\u202fh ago` : `${Math.round(s / 86400)} days ago`;
};
setInterval(() => {
  for (const time of document.querySelectorAll('time[data-ago]')) {
    time.textContent = ago(Date.now() - Date.parse(time.dateTime));
  }
}, 1000);

for (const tree of document.querySelectorAll('[role=tree]')) {
  const level = (row) => Number(row.getAttribute('aria-level'));
  const rows = () => [...tree.querySelectorAll('[role=treeitem]')].filter((row) => row.offsetParent && !row.hidden);
  const focus = (row) => {
    if (!row) return;
    for (const other of tree.querySelectorAll('[role=treeitem][tabindex="0"]')) other.tabIndex = -1;
    row.tabIndex = 0;
    row.focus();
  };
  const details = (row) => row.querySelector(':scope > details');
  const below = (row) => {
    const found = [];
    for (let next = row.nextElementSibling; next && level(next) > level(row); next = next.nextElementSibling) found.push(next);
    return found;
  };
  const fold = (row, shut) => {
    row.setAttribute('aria-expanded', String(!shut));
    // What was shut inside stays shut when this is opened again.
    let under = Infinity;
    for (const next of below(row)) {
      if (level(next) <= under) under = Infinity;
      next.hidden = shut || under < Infinity;
      if (under === Infinity && next.classList.contains('branch') && next.getAttribute('aria-expanded') === 'false') under = level(next);
    }
  };
  // Of many rows a page brings only the outside; what one carries is on the page of its permalink, alone in `rows=1`.
  const complete = async (row) => {
    const link = details(row).querySelector(':scope > .more > p > a[data-whole]');
    if (!link) return;
    const address = new URL(link.href);
    address.searchParams.set('rows', '1');
    const reply = await fetch(address);
    const found = new DOMParser().parseFromString(await reply.text(), 'text/html').getElementById(row.id);
    const more = found && details(found).querySelector(':scope > .more');
    if (more) link.closest('.more').replaceWith(more);
  };
  for (const row of tree.querySelectorAll('[role=treeitem]')) {
    row.tabIndex = -1;
    row.querySelector('summary').tabIndex = -1;
    if (!row.classList.contains('branch') && !row.classList.contains('fold')) row.removeAttribute('aria-expanded');
    details(row).addEventListener('toggle', (event) => {
      if (row.classList.contains('fold')) row.setAttribute('aria-expanded', String(event.target.open));
      else if (event.target.open) complete(row).catch(() => {}); // the link stays
    });
  }
  const first = tree.querySelector('[role=treeitem]');
  if (first) first.tabIndex = 0;

  tree.addEventListener('click', (event) => {
    const row = event.target.closest('[role=treeitem]');
    if (event.target.closest('.twist') && row.classList.contains('branch')) {
      event.preventDefault();
      fold(row, row.getAttribute('aria-expanded') === 'true');
    }
    if (event.target.closest('summary')) focus(row);
  });
  tree.addEventListener('keydown', (event) => {
    const row = event.target.closest('[role=treeitem]');
    if (!row || event.target !== row || event.altKey || event.ctrlKey || event.metaKey) return;
    const seen = rows();
    const at = seen.indexOf(row);
    const open = row.getAttribute('aria-expanded');
    const isFold = row.classList.contains('fold');
    const parent = () => seen.slice(0, at).reverse().find((other) => level(other) < level(row));
    const moves = {
      ArrowDown: () => focus(seen[at + 1]),
      ArrowUp: () => focus(seen[at - 1]),
      Home: () => focus(seen[0]),
      End: () => focus(seen[seen.length - 1]),
      ArrowRight: () => {
        if (open === 'false') isFold ? (details(row).open = true) : fold(row, false);
        else if (open === 'true') focus(seen[at + 1]);
      },
      ArrowLeft: () => {
        if (open === 'true') isFold ? (details(row).open = false) : fold(row, true);
        else focus(parent());
      },
      Enter: () => (details(row).open = !details(row).open),
      ' ': () => (details(row).open = !details(row).open),
    };
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      move();
    }
  });
}

for (const text of navigator.clipboard ? document.querySelectorAll('pre[data-copy]') : []) {
  const button = document.createElement('button');
  button.className = 'copy';
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = 'Copied';
    setTimeout(() => (button.textContent = 'Copy'), 2000);
  });
  const box = document.createElement('div');
  box.className = 'copied';
  text.replaceWith(box);
  box.append(text, button);
}

const status = document.querySelector('[data-status]');
if (status) {
  const ask = async () => {
    let wait = 1500;
    try {
      const reply = await fetch(status.dataset.status, { headers: { accept: 'text/html' } });
      const html = await reply.text();
      // Rendered and escaped by the same template as the page itself.
      if (html !== status.innerHTML) status.innerHTML = html;
    } catch {
      wait = 5000; // the collector is away; it may come back
    }
    setTimeout(ask, document.hidden ? 10000 : wait);
  };
  setTimeout(ask, 1500);
}
