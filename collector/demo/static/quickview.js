// Quick view: a product over the page one is on. The address becomes the product's, so that it can be shared, and
// Back closes the view: a soft navigation, with a fetch behind it.
"use strict";

const view = document.querySelector(".quickview");
const title = document.title;

async function showProduct(id) {
  const reply = await fetch(`/api/products/${id}`);
  const product = await reply.json();
  view.querySelector("h2").textContent = product.name;
  view.querySelector(".picture").style.background = product.background;
  view.querySelector("img").src = `/images/${id}`;
  view.querySelector("[data-price]").textContent = product.price;
  view.querySelector("[data-description]").textContent = product.description;
  view.querySelector("[data-reviews]").textContent = `${product.material} · ${product.reviews} reviews`;
  view.querySelector("[data-add]").dataset.add = id;
  view.querySelector("[data-more]").href = `/products/${id}`;
  view.querySelector("[data-note]").textContent = "";
  document.title = `${product.name} · Linden & Loft`;
  if (!view.open) view.showModal();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-quick]");
  if (!button) return;
  history.pushState({ quick: button.dataset.quick }, "", `/products/${button.dataset.quick}`);
  showProduct(button.dataset.quick);
});

addEventListener("popstate", (event) => {
  if (event.state?.quick) return showProduct(event.state.quick);
  document.title = title;
  view.close();
});

view.querySelector("[data-close]").addEventListener("click", () => history.back());
view.addEventListener("cancel", (event) => {
  event.preventDefault(); // Escape must take the address back too
  history.back();
});
