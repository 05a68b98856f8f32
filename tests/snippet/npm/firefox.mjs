/** Drives Firefox over WebDriver BiDi: reads one JSON array of steps per line of stdin, answers each with a line of JSON.
 *
 * A step is [what, ...arguments], run on the one page there is: "open" url, "click" selector, "wheel" pixels,
 * "evaluate" text, "wait" milliseconds, "close" the tab, "new" tab. Usage: node firefox.mjs /usr/bin/firefox-esr
 */
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: process.argv[2],
  headless: true,
  // A page on localhost is secure, and a first start must not wait for anything outside this machine.
  extraPrefsFirefox: { 'app.update.enabled': false, 'datareporting.policy.dataSubmissionEnabled': false },
});
// A browser whose last tab closes may go itself; this one stays.
await browser.newPage();
let page;

const steps = {
  new: async () => { page = await browser.newPage(); await page.setViewport({ width: 1000, height: 700 }); },
  open: async (url) => { await page.goto(url, { waitUntil: 'load' }); },
  click: async (selector) => page.click(selector),
  press: async (key) => page.keyboard.press(key),
  wheel: async (pixels) => { await page.mouse.move(400, 400); await page.mouse.wheel({ deltaY: pixels }); },
  evaluate: async (text) => page.evaluate(text),
  wait: async (ms) => new Promise((done) => setTimeout(done, ms)),
  close: async () => page.close(),
  version: async () => browser.version(),
};

process.stdout.write(JSON.stringify({ value: await browser.version() }) + '\n');
for await (const line of createInterface({ input: process.stdin })) {
  let answer = {};
  try {
    for (const [what, ...rest] of JSON.parse(line)) answer = { value: (await steps[what](...rest)) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
await browser.close();
