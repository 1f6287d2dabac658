// The agent console in Chromium as its user meets it; one JSON object with the times of each thing, in milliseconds.
// usage: node console.mjs BASE_URL USER PASSWORD PLAN.json   (texts to type, customers and documents to open)
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [base, name, password, file] = process.argv.slice(2);
const plan = JSON.parse(readFileSync(file, "utf8"));
const KEY_MS = 110;

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
const page = await context.newPage();
await page.goto(base);
await page.fill("input[name=name]", name);
await page.fill("input[name=password]", password);
await page.keyboard.press("Enter");
await page.waitForURL(/\/agent/);

// ---- From a key to its results on the screen ----

await page.evaluate(() => {
  // The address may lag behind (browsers bound how often it changes): what was asked for last is what is shown.
  let asked = "";
  const ask = globalThis.fetch;
  globalThis.fetch = (address, ...more) => {
    asked = new URL(address, location).searchParams.get("q")?.trim() ?? "";
    return ask(address, ...more);
  };
  globalThis.waits = [];
  globalThis.times = [];
  const box = document.querySelector("[data-search]");
  box.addEventListener("input", () => globalThis.waits.push({ text: box.value.trim(), from: performance.now() }), { capture: true });
  new MutationObserver(() => {
    const at = globalThis.waits.findLastIndex((wait) => wait.text === asked);
    if (at < 0) return;
    const answered = globalThis.waits.splice(0, at + 1);
    // The frame after the change is on the screen when the next task of it runs.
    requestAnimationFrame(() => setTimeout(() => { for (const wait of answered) globalThis.times.push(performance.now() - wait.from); }));
  }).observe(document.querySelector("[data-results]"), { childList: true });
});
for (const text of plan.texts) {
  await page.focus("#q");
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text, { delay: KEY_MS });
  await page.waitForFunction(() => globalThis.waits.length === 0);
}
const typed = await page.evaluate(() => globalThis.times);

// ---- A customer's page, whole, over a connection that is kept; the browser's own work is not in it ----

const customers = await page.evaluate(async (paths) => {
  const times = [];
  for (const path of paths) {
    const from = performance.now();
    const answer = await fetch(path);
    await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    times.push(performance.now() - from);
  }
  return times;
}, plan.customers);

// ---- From the address to the first page on the screen ----

await page.addInitScript(() => {
  const look = () => {
    const leaf = document.querySelector("[data-stage] .leaf");
    const picture = leaf?.querySelector("img");
    const drawn = picture ? picture.complete && picture.naturalWidth > 0 : [...leaf?.children ?? []].some((host) => host.shadowRoot?.querySelector("svg"));
    if (drawn) setTimeout(() => { globalThis.seen = performance.now(); });
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});
const pages = [];
for (const path of plan.documents) {
  await page.goto(base + path, { waitUntil: "commit" });
  pages.push(await (await page.waitForFunction(() => globalThis.seen)).jsonValue());
}
await browser.close();

function figures(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return { n: sorted.length, p50_ms: at(0.5), p95_ms: at(0.95), most_ms: sorted.at(-1) };
}
console.log(JSON.stringify({ typed: figures(typed), customers: figures(customers), pages: figures(pages) }));
