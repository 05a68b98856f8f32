// jQuery: a scroll handler, and a batch by JSONP: a script tag that calls back.
import $ from 'jquery';

let page = 0;
let busy = false;
$(window).on('scroll', () => {
  if (busy || $(window).scrollTop() + $(window).height() < $(document).height() - 100) return;
  busy = true;
  $.ajax({ url: '/api/products', dataType: 'jsonp', jsonp: 'call', data: { ms: 60, page: ++page } }).done((data) => {
    data.items.slice(0, 10).forEach((text) => $('<article class=card>').text(text).appendTo('#list'));
    busy = false;
  });
});
