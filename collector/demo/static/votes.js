// How many people like a product: asked for when the page is there, and one more at a click.
"use strict";

const like = document.querySelector("[data-vote]");
const likes = like.querySelector("[data-likes]");

fetch(`/api/votes?ids=${like.dataset.vote}`)
  .then((reply) => (reply.ok ? reply.json() : {}))
  .then((found) => (likes.textContent = found[like.dataset.vote] ?? "?"));

like.addEventListener("click", async () => {
  like.disabled = true;
  const reply = await fetch(`/api/votes/${like.dataset.vote}`, { method: "POST" });
  if (reply.ok) likes.textContent = (await reply.json()).likes;
});
