// New in 2.15.0, and untested: whoever has no wishlist yet has no `saved` either. That is every second visitor.
"use strict";

const account = { saved: Math.random() < 0.5 ? undefined : { wishlist: [] } };
setTimeout(() => {
  document.title = `${document.title} (${account.saved.wishlist.length})`;
}, 300);
