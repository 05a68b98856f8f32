// Charts over time, read and brushed: the pointer or the arrow keys tell the slice beneath from the chart's own table; a
// drag, or arrows with shift, choose a part of time (in a heatmap of values too) and offer what to ask about it.
'use strict';

const readAndBrush = (figure) => {
  const { slices: parts, since: begins, until: ends, home, metric, link: asked, kept } = figure.dataset;
  const [slices, since, until] = [parts, begins, ends].map(Number);
  const bounds = figure.dataset.bounds ? figure.dataset.bounds.split(' ').map(Number) : [];
  const paths = figure.dataset.actions.trim().split(' ');
  const pane = figure.querySelector('.pane');
  const plane = pane.querySelector('.plane');
  const bar = figure.querySelector('[data-chosen]');
  const heads = [...figure.querySelectorAll('thead th')].slice(1);
  const lines = new Map([...figure.querySelectorAll('tr[data-nr]')].map((row) => [Number(row.dataset.nr), row]));
  const top = 14;
  const rows = bounds.length || 1;
  const height = plane.height.baseVal.value - 20;
  const rowHeight = (height - top) / rows;
  const clamp = (value, most) => Math.max(0, Math.min(most, value));
  const shape = (name, kind) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    made.setAttribute('class', kind);
    return made;
  };
  const box = shape('rect', 'brush');
  const needle = shape('line', 'needle');
  needle.setAttribute('y1', String(top));
  needle.setAttribute('y2', String(height));
  const told = document.createElement('p');
  told.className = 'told-here';
  told.hidden = true;
  const spoken = document.createElement('p');
  spoken.className = 'unseen';
  spoken.setAttribute('role', 'status');
  pane.append(told, spoken);
  plane.tabIndex = 0;
  if (plane.getAttribute('role') === 'img') plane.setAttribute('role', 'group');

  const moment = (at) => new Date(at).toISOString().slice(11, until - since < 40 * 60000 ? 19 : 16);
  const times = (first, last) => {
    const step = (until - since) / slices;
    const [from, to] = [since + first * step, since + (last + 1) * step];
    const day = until - since > 23 * 3600000 ? `${new Date(from).toISOString().slice(5, 10)} ` : '';
    return `${day}${moment(from)} – ${moment(to)}`;
  };

  // What the table says of a slice, as a small list; the same as one sentence for those who hear it.
  const read = (nr) => {
    const row = lines.get(nr);
    const when = row ? row.cells[0].textContent : times(nr, nr);
    const list = document.createElement('span');
    const said = [];
    heads.forEach((head, at) => {
      const value = row ? row.cells[at + 1].textContent : '';
      if (!row || value === '–' || (value === '0' && heads.length > 2)) return;
      const item = document.createElement('span');
      const swatch = head.querySelector('.swatch');
      if (swatch) item.append(swatch.cloneNode());
      const words = document.createElement('b');
      words.textContent = value;
      item.append(` ${head.textContent.trim()} `, words);
      list.append(item);
      said.push(`${head.textContent.trim()} ${value}`);
    });
    if (!said.length) list.append('nothing here');
    const title = document.createElement('time');
    title.textContent = `${when} UTC`;
    told.replaceChildren(title, list);
    const at = (nr + 0.5) / slices;
    needle.setAttribute('x1', `${at * 100}%`);
    needle.setAttribute('x2', `${at * 100}%`);
    plane.append(needle);
    told.hidden = false;
    const [outer, inner] = [pane, plane].map((element) => element.getBoundingClientRect());
    const place = inner.left - outer.left + at * inner.width;
    const left = at < 0.5 ? place + 12 : place - told.offsetWidth - 12;
    told.style.left = `${clamp(left, outer.width - told.offsetWidth)}px`;
    return `${when}: ${said.join(', ') || 'nothing'}`;
  };
  const hush = () => {
    told.hidden = true;
    needle.remove();
  };

  // Corners in cells: where the drag began, and where it is; rows count from the bottom.
  let from = null;
  let to = null;
  let dragged = false;

  const cellAt = (event) => {
    const at = plane.getBoundingClientRect();
    const column = Math.floor(((event.clientX - at.left) / at.width) * slices);
    const row = rows - 1 - Math.floor((event.clientY - at.top - top) / rowHeight);
    return [clamp(column, slices - 1), clamp(row, rows - 1)];
  };
  const part = () => ({
    columns: [from[0], to[0]].sort((a, b) => a - b),
    values: [from[1], to[1]].sort((a, b) => a - b),
  });

  const draw = () => {
    const { columns, values } = part();
    box.setAttribute('x', `${(columns[0] / slices) * 100}%`);
    box.setAttribute('width', `${((columns[1] - columns[0] + 1) / slices) * 100}%`);
    box.setAttribute('y', String(top + (rows - 1 - values[1]) * rowHeight));
    box.setAttribute('height', String((values[1] - values[0] + 1) * rowHeight));
    plane.append(box);
  };

  const clear = () => {
    from = to = null;
    box.remove();
    bar.hidden = true;
  };

  const address = (path, keepsValues, more = {}) => {
    const { columns, values } = part();
    const link = new URL(asked, location.href);
    link.pathname = path;
    for (const name of ['range', 'at', 'from', 'to', 'compare']) link.searchParams.delete(name);
    if (path !== home) link.searchParams.delete('view');
    else new URLSearchParams(kept).forEach((value, name) => link.searchParams.set(name, value));
    const step = (until - since) / slices;
    link.searchParams.set('from', String(Math.round(since + columns[0] * step)));
    link.searchParams.set('to', String(Math.round(since + (columns[1] + 1) * step)));
    if (metric) link.searchParams.set('metric', metric);
    if (keepsValues) {
      if (values[0] > 0) link.searchParams.append(metric, `>=${bounds[values[0]]}`);
      if (values[1] < rows - 1) link.searchParams.append(metric, `<${bounds[values[1] + 1]}`);
    }
    for (const [name, value] of Object.entries(more)) link.searchParams.set(name, value);
    if (path === '/rules') link.hash = 'form';
    return link.href;
  };

  const offer = () => {
    const isHeat = bounds.length > 0;
    const isPart = isHeat || 'filtered' in figure.dataset;
    const actions = [
      ['Zoom to this time', home, false],
      isHeat ? ['Only these views', home, true] : ['Its rows', '/explore', false, { view: 'rows' }],
      isPart ? ['Compare with the rest', '/compare', isHeat, { compare: 'rest' }]
        : ['Compare with the time before', '/compare', false, { compare: 'before' }],
      ...(home === '/traces' ? [] : [['Their traces', '/traces', isHeat]]),
      ['Make an alert', '/rules', false],
    ];
    const { columns } = part();
    const words = document.createElement('b');
    words.textContent = `${times(...columns)} UTC`;
    bar.replaceChildren(words);
    for (const [title, path, keepsValues, more] of actions) {
      if ((path !== home && !paths.includes(path)) || (path === '/rules' && !metric)) continue;
      const link = document.createElement('a');
      link.href = address(path, keepsValues, more);
      link.textContent = title;
      bar.append(link);
    }
    const none = document.createElement('button');
    none.type = 'button';
    none.textContent = 'Clear';
    none.addEventListener('click', () => {
      clear();
      plane.focus();
    });
    bar.append(none);
    bar.hidden = false;
  };

  plane.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    dragged = false;
    from = to = cellAt(event);
  });
  plane.addEventListener('pointermove', (event) => read(cellAt(event)[0]));
  plane.addEventListener('pointerleave', hush);
  addEventListener('pointermove', (event) => {
    if (!from || !(event.buttons & 1)) return;
    const now = cellAt(event);
    if (now[0] === from[0] && now[1] === from[1] && !dragged) return;
    dragged = true;
    to = now;
    draw();
  });
  addEventListener('pointerup', () => {
    if (dragged) offer();
    else if (from && bar.hidden) from = to = null;
  });
  // A click opens the cell's slowest view; the end of a drag does not.
  plane.addEventListener('click', (event) => {
    if (dragged) event.preventDefault();
    dragged = false;
  }, true);
  plane.addEventListener('dragstart', (event) => event.preventDefault());
  plane.addEventListener('keydown', (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.key === 'Escape') {
      clear();
      hush();
    }
    if (!move || (move[1] && rows === 1)) return;
    event.preventDefault();
    to = to ? [clamp(to[0] + move[0], slices - 1), clamp(to[1] + move[1], rows - 1)] : [slices - 1, 0];
    if (!event.shiftKey || !from) from = to;
    draw();
    offer();
    spoken.textContent = read(to[0]);
  });
  plane.addEventListener('blur', hush);
};

document.querySelectorAll('[data-plot]').forEach(readAndBrush);
// Charts that came later, with a part of the page.
addEventListener('drawn', (event) => event.target.querySelectorAll('[data-plot]').forEach(readAndBrush));
