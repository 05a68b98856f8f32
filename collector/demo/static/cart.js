// "Add to basket" wherever it stands, by XMLHttpRequest: this part of the shop is older than fetch.
"use strict";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add]");
  if (!button) return;
  const note = button.closest(".buy").querySelector("[data-note]");
  const request = new XMLHttpRequest();
  request.open("POST", "/api/cart");
  request.setRequestHeader("Content-Type", "application/json");
  request.responseType = "json";
  button.disabled = true;
  request.onloadend = () => {
    button.disabled = false;
    const reply = request.response ?? {};
    if (request.status === 201) {
      document.querySelector("[data-basket]").textContent = reply.pieces;
      note.textContent = "It is in your basket.";
    } else {
      note.textContent = reply.message ?? "That did not work. Please try again.";
    }
  };
  request.send(JSON.stringify({ id: Number(button.dataset.add) }));
});
