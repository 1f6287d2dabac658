// A browser with somebody signed in, and a few customers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

export const base = process.env.GREENBAR_URL;
const PASSWORDS = { ann: "green-bar-paper", ava: "my-bills-please", zhou: "my-bills-please", admin: "keeper-of-records" };

export async function browser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** A page with somebody signed in. What the browser complains of ends up in `page.complaints`. */
export async function signedIn(chromiumBrowser, user, options = {}) {
  const context = await chromiumBrowser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US", ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) page.complaints.push(message.text());
  });
  if (user) {
    await page.goto(`${base}/`);
    await page.fill("input[name=name]", user);
    await page.fill("input[name=password]", PASSWORDS[user]);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/(agent|my|admin)/);
  }
  return page;
}

/** Calls the API as somebody. */
export async function api(user) {
  const answer = await fetch(`${base}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: user, password: PASSWORDS[user] }),
  });
  const cookie = answer.headers.getSetCookie()[0].split(";")[0];
  const { csrf_token: token } = await answer.json();
  return async (method, path, body) => {
    const reply = await fetch(base + path, {
      method,
      headers: { "content-type": "application/json", cookie, "x-csrf-token": token },
      body: body && JSON.stringify(body),
    });
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
    if (points.items.some((point) => point.value === value)) continue;
    await ask("POST", "/api/v1/contact-points", { owner, kind: "phone", value: "+1 937 555 0177" });
    const mail = await ask("POST", "/api/v1/contact-points", { owner, kind: "email", value });
    await ask("PATCH", `/api/v1/contact-points/${mail.id}`, { verified_by: "code" });
  }
}

/** WCAG 2.2 AA finds nothing. */
export async function accessible(page, what) {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const { violations } = await new AxeBuilder({ page }).withTags(tags).exclude("iframe").analyze();
  const told = violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join(" | ")}`);
  assert.deepEqual(told, [], what);
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
