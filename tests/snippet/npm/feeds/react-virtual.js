// TanStack Virtual: only the rows in view exist, each placed by a transform; the list grows in height alone.
import { useVirtualizer } from '@tanstack/react-virtual';
import { createElement as h, useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';

const Feed = () => {
  const box = useRef(null);
  const busy = useRef(false);
  const [items, setItems] = useState(Array.from({ length: 20 }, (_, i) => `first ${i}`));
  const rows = useVirtualizer({ count: items.length, getScrollElement: () => box.current, estimateSize: () => 100, overscan: 2 });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last < items.length - 1 || busy.current) return;
    busy.current = true;
    fetch(`/api/products?ms=60&page=${items.length / 20}`).then((reply) => reply.json()).then((data) => {
      busy.current = false;
      setItems((known) => [...known, ...data.items]);
      document.body.dataset.batches = items.length / 20;
    });
  }, [last, items.length]);
  const placed = shown.map((row) => h('article', {
    className: 'card', key: row.key, style: { position: 'absolute', width: '100%', transform: `translateY(${row.start}px)` },
  }, items[row.index]));
  const tall = { height: rows.getTotalSize(), position: 'relative' };
  return h('div', { ref: box, id: 'box', style: { height: 600, overflow: 'auto' } }, h('div', { style: tall }, placed));
};
createRoot(document.getElementById('list')).render(h(Feed));
