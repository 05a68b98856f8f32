// react-infinite-scroll-component: an observed sentinel, state, and React's own scheduler between answer and page.
import { createElement as h, useState } from 'react';
import { createRoot } from 'react-dom/client';
import InfiniteScroll from 'react-infinite-scroll-component';

const Feed = () => {
  const [items, setItems] = useState(Array.from({ length: 12 }, (_, i) => `first ${i}`));
  const next = async () => {
    const reply = await fetch(`/api/products?ms=60&page=${Math.ceil(items.length / 10)}`);
    const { items: more } = await reply.json();
    setItems((known) => [...known, ...more.slice(0, 10).map((text, i) => `${text} ${known.length + i}`)]);
  };
  const cards = items.map((text) => h('article', { className: 'card', key: text }, text));
  return h(InfiniteScroll, { dataLength: items.length, next, hasMore: items.length < 80, loader: h('p', null, '…') }, cards);
};
createRoot(document.getElementById('list')).render(h(Feed));
