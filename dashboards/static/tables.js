// Tables are sorted by the column whose head is pressed: first by its greatest, then by its least, then as they came.
// What a cell says is read with its unit, so that 231 ms comes before 1.94 s. Heads that are links sort on the server.
'use strict';

{
  const UNITS = { µs: 0.001, ms: 1, s: 1000, min: 60000, h: 3600000, days: 86400000, B: 1, kB: 1e3, MB: 1e6, '/h': 1 / 60, '/min': 1, '/s': 60 };

  const valueOf = (cell) => {
    const time = cell.querySelector('time[datetime]');
    if (time) return Date.parse(time.dateTime);
    const own = cell.cloneNode(true);
    for (const aside of own.querySelectorAll('small, svg, .unseen, [aria-hidden]')) aside.remove();
    const text = own.textContent.trim().replace(/[\u202f\s]+/g, ' ');
    const found = /^[<>≈ ]*([−-]?[\d,]*\.?\d+) ?(\/ ?[a-z]+|[µa-zA-Z]+)?/.exec(text);
    if (!found) return text === '–' || text === '' || !cell.classList.contains('n') ? text : -Infinity;
    return Number(found[1].replace(/,/g, '').replace('−', '-')) * (UNITS[(found[2] || '').replace(' ', '')] ?? 1);
  };

  const compare = (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return b - a;
    if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1; // what was not measured comes last
    return a.localeCompare(b);
  };

  const make = (table) => {
    const body = table.tBodies[0];
    const heads = [...table.querySelectorAll(':scope > thead th')];
    const came = [...body.rows];
    if (came.length < 3 || came.some((row) => row.cells.length !== heads.length)) return;
    heads.forEach((head, column) => {
      if (!head.textContent.trim() || head.querySelector('a, button') || head.matches(':has(> .unseen:only-child)')) return;
      const button = document.createElement('button');
      button.type = 'button';
      button.className = 'sort';
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener('click', () => {
        const next = { descending: 'ascending', ascending: '' }[head.getAttribute('aria-sort')] ?? 'descending';
        for (const other of heads) other.removeAttribute('aria-sort');
        if (next) head.setAttribute('aria-sort', next);
        const keyed = came.map((row) => [valueOf(row.cells[column]), row]);
        const order = next === 'ascending' ? -1 : 1;
        if (next) keyed.sort(([a], [b]) => (typeof a === typeof b ? order * compare(a, b) : compare(a, b)));
        body.append(...keyed.map(([, row]) => row));
      });
    });
  };

  for (const table of document.querySelectorAll('main table')) if (table.tHead && table.tBodies.length === 1) make(table);
}
