// Metafizzy's Infinite Scroll: follows the link to the next page, takes the articles out of its HTML.
import InfiniteScroll from 'infinite-scroll';

new InfiniteScroll('#list', {
  path: '/api/html?ms=60&page={{#}}',
  append: '.card',
  history: false,
  scrollThreshold: 150,
});
