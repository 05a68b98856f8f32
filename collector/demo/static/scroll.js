// The list that grows while one scrolls. The hasty handler is that of the talk Farside began with, bug included: nothing
// remembers that a request is under way. Until the page has grown, every single scroll event near its end fetches one
// more page, and a window taller than the list fetches page after page before anybody has scrolled. The careful one,
// in use while that trouble is not planted, waits for its answer.
"use strict";

const feed = document.querySelector("[data-feed]");
const blank = document.getElementById("card");
const careful = feed.dataset.handler === "careful";
let underWay = false;
let next = Number(feed.dataset.next) || Infinity;

async function fetchNextPage() {
  if (next === Infinity) return; // the last product has been shown
  if (careful && underWay) return;
  underWay = true;
  const page = next++;
  const category = feed.dataset.category ? `&category=${feed.dataset.category}` : "";
  const reply = await fetch(`/api/products?page=${page}${category}`);
  const { items, next: following } = await reply.json();
  feed.append(...items.map(toCard));
  if (following === null) next = Infinity;
  underWay = false;
  watch();
}

function watch() {
  const canScroll = document.body.clientHeight > innerHeight;
  if (canScroll) addEventListener("scroll", onScroll);
  else fetchNextPage();
}

function onScroll() {
  if (innerHeight + scrollY + 100 > document.body.clientHeight) fetchNextPage();
}

function toCard(item) {
  const card = blank.content.firstElementChild.cloneNode(true);
  card.dataset.product = item.id;
  card.querySelector(".picture").style.background = item.background;
  card.querySelector("img").src = `/images/${item.id}`;
  for (const link of card.querySelectorAll("a")) link.href = `/products/${item.id}`;
  card.querySelector("h3 a").textContent = item.name;
  card.querySelector(".material").textContent = item.material;
  card.querySelector(".price").textContent = item.sold_out ? `${item.price} · sold out` : item.price;
  card.querySelector("[data-quick]").dataset.quick = item.id;
  return card;
}

watch();
