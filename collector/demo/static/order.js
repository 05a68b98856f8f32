// Orders what is in the basket.
"use strict";

const order = document.querySelector("[data-order]");

order?.addEventListener("click", async () => {
  const note = document.querySelector("[data-order-note]");
  order.disabled = true;
  const reply = await fetch("/api/orders", { method: "POST" });
  const answer = await reply.json();
  if (reply.ok) {
    note.textContent = `Thank you. Your order is number ${answer.order}.`;
    document.querySelector("[data-basket]").textContent = 0;
    window.farside?.mark("order placed", answer.total / 100);
  } else {
    note.textContent = answer.message;
    order.disabled = false;
  }
});
