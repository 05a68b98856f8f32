// Tells the snippet which features this page was built with, and how the server knew: live, cached or default.
"use strict";

{
  const told = JSON.parse(document.getElementById("features").textContent);
  const report = () => {
    for (const [name, [value, source]] of Object.entries(told)) window.farside?.flag(name, value, source);
  };
  if (window.farside) report();
  else document.querySelector("script[data-key]").addEventListener("load", report);
}
