// A browser with somebody signed in, and a few customers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

export const base = process.env.GREENBAR_URL;
const archive = process.env.GREENBAR_ARCHIVE;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const PASSWORDS = { ann: "green-bar-paper", ava: "my-bills-please", zhou: "my-bills-please", admin: "keeper-of-records" };

export async function browser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** Cookies of those who signed in before: a password takes time on purpose. */
const jars = new Map();

/** A page with somebody signed in. What the browser complains of ends up in `page.complaints`. */
export async function signedIn(chromiumBrowser, user, options = {}) {
  const context = await chromiumBrowser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", ...options });
  context.setDefaultTimeout(60_000);
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) page.complaints.push(message.text());
  });
  if (user) {
    await context.addCookies(jars.get(user) ?? []);
    await page.goto(`${base}/`);
    // Nobody asks those who are in; a session that was ended meanwhile is begun anew.
    if (await page.locator("input[name=password]").count()) {
      await page.fill("input[name=name]", user);
      await page.fill("input[name=password]", PASSWORDS[user]);
      await page.keyboard.press("Enter");
    }
    await page.waitForURL(/\/(agent|my|admin)/, { timeout: 60_000 });
    jars.set(user, (await context.cookies()).filter((cookie) => /greenbar$/.test(cookie.name)));
  }
  return page;
}

/** Makes a user whose name is a role, and whose password is the one that the page tells. */
export async function password(chromiumBrowser, role) {
  if (PASSWORDS[role]) return;
  const page = await signedIn(chromiumBrowser, "admin");
  await page.goto(`${base}/admin/people`);
  const form = page.locator("form:has(button[value=add])");
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  await form.locator("input[name=name]").fill(role);
  await form.locator("select[name=role]").selectOption(role);
  await form.locator("button[value=add]").click();
  PASSWORDS[role] = (await page.locator(".notice--ok p").last().textContent()).trim();
  await page.context().close();
}

/** Calls the API as somebody; a `Buffer` is sent as it is. */
export async function api(user) {
  const answer = await fetch(`${base}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: user, password: PASSWORDS[user] }),
  });
  const cookie = answer.headers.getSetCookie()[0].split(";")[0];
  const { csrf_token: token } = await answer.json();
  return async (method, path, body) => {
    const send = () => fetch(base + path, {
      method,
      headers: { "content-type": Buffer.isBuffer(body) ? "application/octet-stream" : "application/json", cookie, "x-csrf-token": token },
      body: body && (Buffer.isBuffer(body) ? body : JSON.stringify(body)),
    });
    // A connection that was kept may be closed just as it is used again: what changes nothing is asked once more.
    const reply = await send().catch((error) => { if (method === "GET") return send(); throw error; });
    const text = await reply.text();
    assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
    return text ? JSON.parse(text) : {};
  };
}

/** Holders of two accounts of the samples, whom one telephone reaches, each with a verified mail address. */
export async function customers() {
  const ask = await api("admin");
  for (const [number, given, family] of [["410000-1000-0", "Ava", "Barnes"], ["414468-1004-4", "Olivia", "Farrow"]]) {
    const known = await ask("GET", `/api/v1/accounts/${number}`).catch(() => null);
    let id = known?.customer;
    if (!id) {
      id = (await ask("POST", "/api/v1/customers", { name: { given, family }, locale: "en-US" })).id;
      await ask("POST", "/api/v1/accounts", { number, customer: id });
    }
    const owner = { customer: id };
    const points = await ask("GET", `/api/v1/contact-points?customer=${id}`);
    const value = `${number}@example.com`;
    // Nobody is verified here: the middle of what is listed is hidden.
    if (points.items.some((point) => point.kind === "phone" && point.value === "***0177")) continue;
    await ask("POST", "/api/v1/contact-points", { owner, kind: "phone", value: "+1 937 555 0177" });
    const mail = await ask("POST", "/api/v1/contact-points", { owner, kind: "email", value });
    await ask("PATCH", `/api/v1/contact-points/${mail.id}`, { verified_by: "code" });
  }
}

/** WCAG 2.2 AA finds nothing. */
export async function accessible(page, what) {
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).exclude("iframe").analyze();
  told(violations, what);
}

function told(violations, what) {
  const all = violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
  assert.deepEqual(all, [], what);
}

/** What of axe depends on colours. */
const COLOURS = ["color-contrast", "link-in-text-block"];

/** WCAG 2.2 AA finds nothing in what the page shows now: without frames, and quick enough for every page in every look. After a
 * change of colours alone only what depends on them is asked again. */
export async function plainly(page, what, coloursAlone = false) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(axe);
  const runOnly = coloursAlone ? { type: "rule", values: COLOURS } : { type: "tag", values: TAGS };
  const violations = await page.evaluate(async (only) => {
    const options = { runOnly: only, resultTypes: ["violations"], iframes: false };
    return (await globalThis.axe.run(document, options)).violations;
  }, runOnly);
  told(violations, what);
}

/** A stock list that no definition knows. */
export function stock(name) {
  const page = (number) => `\fSTOCK LIST ${name}   PAGE ${number}\nWAREHOUSE 17\n${"ITEM 4711  SCREWS  QTY 12\n".repeat(30)}`;
  return Array.from({ length: 7 }, (_, at) => page(at + 1)).join("");
}

/** Puts a file into the watched folder; the arrival, when it is in one of these states. */
export async function arrives(ask, name, text, states) {
  await writeFile(`${archive}/in/${name}.tmp`, text);
  await rename(`${archive}/in/${name}.tmp`, `${archive}/in/${name}`);
  return becomes(ask, name, states);
}

/** An arrival, when it is in one of these states. */
export async function becomes(ask, name, states) {
  for (let step = 0; step < 300; step += 1) {
    const { items } = await ask("GET", `/api/v1/intake?q=${encodeURIComponent(name)}`);
    if (items.length && states.includes(items[0].state)) return items[0];
    await new Promise((done) => { setTimeout(done, 100); });
  }
  return assert.fail(`${name} never was ${states}`);
}

/** Distributions that fail in their ways; the number of the run of which nobody has an address. Nobody listens on port 9; the
 * webhook leads into the own network. */
export async function distributions(ask) {
  const secret = `${process.cwd()}/secret`;
  writeFileSync(secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G\n");
  const one = (name, definition, channel, more = "") => `
[[distribution]]
name = "${name}"
since = "2020-01-01"
definitions = ["${definition}"]
channels = ["${channel}"]
${more}`;
  writeFileSync(`${archive}/distribution.toml`, `
public_url = "https://bills.example.com"
retry_s = [3600]
${one("no-address", "telecom-bill", "mail")}
${one("inside", "overdraft-notice", "events")}
${one("held", "sales-register", "events", "hold = true")}
[channel.mail]
kind = "smtp"
host = "127.0.0.1"
port = 9
tls = "none"
sender = "bills@lakes.example"
[channel.events]
kind = "webhook"
url = "https://10.0.0.9/hooks"
secret_file = "${secret}"
`);
  for (let wait = 0; wait < 300; wait += 1) {
    const { items } = await ask("GET", "/api/v1/distribution/runs");
    const run = (name) => items.find((run) => run.key.startsWith(name))?.number;
    if (run("no-address") && run("inside") && run("held")) {
      const { reconciliation } = await ask("GET", `/api/v1/distribution/runs/${run("inside")}`);
      if (reconciliation.rungs.events.dead) return run("no-address");
    }
    await new Promise((done) => setTimeout(done, 200));
  }
  return assert.fail("nothing was planned");
}

/** The words of the pages: those whose Chinese differs, and that are no name or abbreviation. */
function englishWords() {
  const read = (file) => new Map([...readFileSync(`${process.env.GREENBAR_WORDS}/${file}`, "utf8").matchAll(/^(\S+) = "(.*)"$/gm)].map(([, key, value]) => [key, value]));
  const [english, chinese] = [read("en.toml"), read("zh-CN.toml")];
  const own = [...english].filter(([key, value]) => /[a-z]{3}/.test(value) && chinese.get(key) !== value).map(([, value]) => value);
  assert.ok(own.length > 900, `${own.length} words`);
  return own;
}

/** English of the program on a Chinese page: its own words, and whatever reads like a sentence. What is said to be English
 * (`lang`), code, what people wrote (`typed`, notes, messages) and what stands in archived pages is none. */
export async function english(page, typed = []) {
  return page.evaluate(([words, names]) => {
    const known = new Set(words);
    const spared = "[lang]:not([lang^=zh]), [translate=no], code, pre, kbd, textarea, script, style, template, .code, iframe, svg, .snippet, .notes__text, .entry__text, .message__text";
    const found = new Set();
    const look = (text, at) => {
      const plain = text.replace(/\s+/g, " ").trim();
      if (!plain || at.closest(spared) || names.includes(plain.replace(" · greenbar", ""))) return;
      if (known.has(plain) || /\b[a-z]{2,} [a-z]{2,} [a-z]{2,}\b/.test(plain)) found.add(`${at.tagName.toLowerCase()}.${at.className}: ${plain.slice(0, 120)}`);
    };
    const walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) look(walk.currentNode.data, walk.currentNode.parentElement);
    for (const name of ["aria-label", "title", "placeholder", "alt", "content"]) {
      for (const one of document.querySelectorAll(`[${name}]`)) if (!one.matches("a[title], span[title]")) look(one.getAttribute(name), one);
    }
    return [...found];
  }, [englishWords(), typed]);
}

/** Nothing is wider than the screen. */
export async function fits(page, what) {
  const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(inner <= outer, `${what}: ${inner} px wide on a screen of ${outer}`);
}

/** The focus after a number of keys. */
export async function keys(page, ...names) {
  for (const name of names) await page.keyboard.press(name);
}

/** Goes with Tab to what matches a selector, as somebody does who has no mouse. */
export async function tabTo(page, selector, most = 150) {
  for (let step = 0; step <= most; step += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not lead to ${selector} at ${page.url()}`);
}

/** Chooses in the select that has the focus, with the arrow key. */
export async function choose(page, value) {
  for (let step = 0; step < 40; step += 1) {
    if (await page.evaluate((wanted) => document.activeElement.value === wanted, value)) return;
    await page.keyboard.press("ArrowDown");
  }
  assert.fail(`nothing to choose is ${value} at ${page.url()}`);
}

/** Types into the field that has the focus, instead of what is in it. */
export async function retype(page, text) {
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}

/** The text of a PDF. */
export function printed(pdf) {
  return execFileSync("pdftotext", ["-", "-"], { input: pdf, encoding: "utf8" });
}
