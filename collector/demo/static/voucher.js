// The voucher field. It has been broken since codes were moved to capital letters: "welcome10", as printed on every
// flyer, is no longer found, and nobody asks whether it was. The gift card's partner is away, and nobody catches that.
"use strict";

const rebates = {
  WELCOME10: { percent: 10 },
  MOVINGIN: { percent: 15 },
};

function applyVoucher(code) {
  const percent = rebates[code].percent;
  return `${percent} % off, taken away at the till.`;
}

async function giftCardBalance(code) {
  const reply = await fetch("/api/gift-cards", { method: "POST", body: JSON.stringify({ code }) });
  if (!reply.ok) throw new Error(`Gift card balance unavailable (${reply.status})`);
  return (await reply.json()).balance;
}

for (const form of document.querySelectorAll("[data-voucher]")) {
  const note = form.querySelector("[data-voucher-note]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    note.textContent = applyVoucher(form.elements.code.value);
  });
  form.querySelector("[data-gift-card]").addEventListener("click", async () => {
    note.textContent = `${await giftCardBalance(form.elements.code.value)} left on it.`;
  });
}
