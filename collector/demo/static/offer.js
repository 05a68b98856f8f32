// Today's offer, pushed in above everything else once it has arrived. No room was kept for it, so the page jumps.
"use strict";

fetch("/api/offer")
  .then((reply) => reply.json())
  .then((offer) => {
    const bar = document.createElement("p");
    bar.className = "offer";
    const link = document.createElement("a");
    link.href = offer.href;
    link.textContent = offer.text;
    bar.append(link);
    document.querySelector("main").prepend(bar);
  });
