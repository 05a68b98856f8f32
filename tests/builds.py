"""A small app that fails in many ways, built three times by esbuild: as it is; minified; and minified after somebody had
renamed functions and variables, moved lines and added code. Node runs it, and its engine is Chromium's.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from hatch_build import find_node
from tests.conftest import ROOT

ESBUILD = ROOT / "js-snippet" / "node_modules" / "esbuild" / "bin" / "esbuild"

CART = """
export class CartBook {
  constructor(entries) { this.entries = entries; }
  total(discount) {
    let amount = 0;
    for (const entry of this.entries) amount += entry.product.price;
    return amount - discount.percent;
  }
  push(entry) { this.entries.push(entry); return this.total({ percent: 0 }); }
  async refresh(address) {
    const reply = await Promise.resolve({ ok: false, status: 503 });
    if (!reply.ok) throw new Error('Cannot load ' + address + ': ' + reply.status);
  }
}
export const renderPrice = (product) => product.price.toFixed(2);
export function parseCoupon(text) { return JSON.parse(text).code.toUpperCase(); }
export function findStock(shelf, nr) { if (!shelf[nr]) throw new RangeError(`no item ${nr} in "${shelf.name}"`); }
export class PaymentRefused extends Error { constructor(text) { super(text); this.name = 'PaymentRefused'; } }
"""
MAIN = """
import { CartBook, renderPrice, parseCoupon, findStock, PaymentRefused } from './cart.js';
const cases = [
  () => new CartBook([{}]).total({ percent: 1 }),
  () => new CartBook([]).total(undefined),
  () => new CartBook(null).push(1),
  () => new CartBook([]).refresh('/api/stock/17'),
  () => renderPrice({}),
  () => renderPrice(null),
  () => [3, 2].map((entry) => renderPrice(entry.product)),
  () => parseCoupon('{"x": 1}'),
  () => parseCoupon('<html>'),
  () => findStock({ name: 'books' }, Math.floor(Math.random() * 90)),
  () => { const bookOfCarts = new CartBook([]); return bookOfCarts.sum(); },
  () => { const [first] = globalThis.nothing; return first; },
  () => neverDefinedAnywhere + 1,
  () => { const limit = globalThis; limit.bound.upper; },
  () => { const limit = globalThis; limit.bound = 3; limit.bound.upper.value; },
  () => { throw new RangeError('quantity 17 is more than 9'); },
  () => { const { code } = globalThis.coupon; return code; },
  () => { const callback = globalThis.onceThere; callback(); },
  () => { const list = { length: 3 }; for (const one of list) one.go(); },
  () => { const Wanted = globalThis.Constructor; new Wanted(); },
  () => { globalThis.basket.items[0].remove(); },
  () => { const target = null; target.innerHTML = ''; },
  () => { throw new PaymentRefused('card 4242 was refused'); },
  () => { 'use strict'; Object.freeze([]).push(1); },
  () => decodeURIComponent('%'),
  () => new Array(-1),
  () => 'x'.repeat(-1),
  () => { const early = () => late.value; const use = early(); const late = { value: use }; return late; },
  () => BigInt(1.5),
  () => structuredClone(() => 1),
  () => { const deep = () => deep() + 1; deep(); },
  () => { const steps = [1]; steps.reduce((sum, step) => sum + step.weight.grams, 0); },
];
cases.forEach((run, nr) => {
  const tell = (error) => console.log(JSON.stringify({ nr, type: error.name, message: error.message, stack: error.stack }));
  Promise.resolve().then(run).catch(tell);
});
"""
RENAMED = {
    "entries": "rows", "entry": "row", "amount": "s", "renderPrice": "priceAsText", "parseCoupon": "readVoucher",
    "findStock": "look", "CartBook": "Basket", "bookOfCarts": "own", "limit": "border", "callback": "done", "list": "all",
    "Wanted": "Kind", "target": "node", "early": "first_use", "late": "afterwards", "deep": "down", "address": "from",
    "reply": "answer", "shelf": "rack", "cases": "things", "discount": "less",
}  # fmt: skip


class Build(NamedTuple):
    """One build: its folder, the script and what node met when it ran: {nr, type, message, stack}."""

    folder: Path
    script: Path
    errors: list[dict[str, Any]]


def three_builds(folder: Path) -> list[Build]:
    renamed = {"cart.js": _renamed(CART), "main.js": _renamed(MAIN)}
    return [
        build(folder / "plain", {"cart.js": CART, "main.js": MAIN}),
        build(folder / "minified", {"cart.js": CART, "main.js": MAIN}, "--minify"),
        build(folder / "later", renamed, "--minify"),
    ]


def build(folder: Path, sources: dict[str, str], *flags: str) -> Build:
    (folder / "src").mkdir(parents=True)
    for name, text in sources.items():
        (folder / "src" / name).write_text(text)
    dist = folder / "dist"
    # `Wanted.Constructor` and the like must stay, so properties are not mangled; nobody does that by default.
    command = [str(ESBUILD), str(folder / "src" / "main.js"), "--bundle", "--sourcemap", f"--outdir={dist}",
               "--entry-names=app-[hash]", "--format=iife", *flags]  # fmt: skip
    node = str(find_node())
    runner = [] if ESBUILD.read_bytes()[:4] == b"\x7fELF" else [node]
    subprocess.run([*runner, *command], check=True, capture_output=True, timeout=60)
    (script,) = dist.glob("*.js")
    said = subprocess.run([node, str(script)], check=True, capture_output=True, text=True, timeout=60).stdout
    errors = [json.loads(line) for line in said.splitlines()]
    for error in errors:
        error["stack"] = error["stack"].replace(str(dist), "https://shop.example/assets").replace("file://", "")
    return Build(folder, script, sorted(errors, key=lambda error: int(error["nr"])))


def _renamed(text: str) -> str:
    for name, other in RENAMED.items():
        text = re.sub(rf"(?<![.'\"\w/]){name}\b(?!')", other, text)
    added = "export const unrelated = (x) => x * 3 + 1;\n" if "class PaymentRefused" in text else ""
    return "// a line more\n" * 7 + added + text.replace("entries", "rows")
