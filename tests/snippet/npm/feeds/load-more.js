// The same libraries, used for what is no feed: a button, a poll, a picture that comes when it is near.
import $ from 'jquery';
import 'htmx.org';

setInterval(() => $.getJSON('/api/poll?ms=20', (data) => $('#news').text(data.items[0])), 250);
let page = 0;
$('#more').on('click', () => {
  $.getJSON(`/api/products?ms=60&page=${++page}`, (data) => {
    data.items.slice(0, 10).forEach((text) => $('<article class=card>').text(text).appendTo('#list'));
  });
});
