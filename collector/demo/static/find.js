// "Point out": dims whatever does not resemble the words typed. It compares every word on every card by edit distance,
// at each key, on the main thread: fine with the twelve cards its author had, slow after some scrolling.
"use strict";

const field = document.querySelector("[name=find]");

function distance(a, b) {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 0; j <= b.length; j++) rows[0][j] = j;
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++)
      rows[i][j] = Math.min(
        rows[i - 1][j] + 1,
        rows[i][j - 1] + 1,
        rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
  return rows[a.length][b.length];
}

function resembles(words, wanted) {
  // Every stretch of the text is tried, in case the word begins in the middle of another.
  for (let from = 0; from < words.length; from++)
    for (let length = 1; length <= 2 * wanted.length + 4; length++)
      if (distance(words.slice(from, from + length), wanted) <= wanted.length / 5) return true;
  return false;
}

field.addEventListener("input", () => {
  const wanted = field.value.trim().toLowerCase();
  for (const card of document.querySelectorAll(".grid .card")) {
    const words = card.querySelector(".words").innerText.toLowerCase();
    card.classList.toggle("dim", wanted !== "" && !resembles(words, wanted));
  }
});
