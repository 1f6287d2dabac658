// An agent's call from the pop to the wrap-up, by keyboard.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browser, customers, keys, signedIn } from "./support.mjs";

let chromium;
before(async () => {
  chromium = await browser();
  await customers();
});
after(() => chromium.close());

test("results come as one types, rows by keys, Enter opens", async () => {
  const page = await signedIn(chromium, "ann");
  await page.locator("main").focus();
  await keys(page, "/");
  await page.keyboard.type("barnes $2000..6000", { delay: 20 });
  await page.waitForFunction(() => /^[1-9]\d? documents?$/.test(document.querySelector(".hits__total")?.textContent.trim()));
  assert.deepEqual(await page.locator(".chip__kind").allTextContents(), ["Words", "Amount"]);
  assert.match(page.url(), /q=barnes/);
  await keys(page, "ArrowDown", "j");
  const second = await page.locator("[data-row]:focus").getAttribute("data-id");
  await keys(page, "Enter");
  await page.waitForURL(new RegExp(`/agent/documents/${second}`));
  await keys(page, "g", "l");
  await page.waitForURL(/\/agent\?q=barnes/);
  assert.deepEqual(page.complaints, []);
});

test("a whole call: pop, choose, verify, find, compare, note, wrap-up", async () => {
  const page = await signedIn(chromium, "ann");
  const { base } = await import("./support.mjs");
  await page.goto(`${base}/agent/pop?ani=%2B1%20937%20555%200177&call=call-77`);
  assert.match(page.url(), /\/agent\/calls\//, "the number leaves the address at once");
  assert.doesNotMatch(page.url(), /937|555/);
  const names = await page.locator(".candidate__name").allTextContents();
  assert.equal(names.length, 2, "two customers with one number");
  assert.ok(names.every((name) => /^(\S… ?)+$/.test(name)), `masked: ${names}`);
  await page.locator(".candidate", { hasText: "0000" }).getByRole("button").click();
  await page.waitForURL(/\/agent\/customers\//);
  const customer = page.url();
  assert.match(await page.locator("h1").textContent(), /Barnes/);
  const masked = await page.locator(".facts").textContent();
  assert.doesNotMatch(masked, /410000-1000-0@example/, "caller id alone unmasks nothing");

  // The same call again leads to the same place and opens nothing new.
  await page.goto(`${base}/agent/pop?ani=%2B1%20937%20555%200177&call=call-77`);
  assert.equal(page.url(), customer);

  await page.selectOption("#verify-how", "pin");
  await page.locator("[data-key-verify]").click();
  await page.waitForFunction(() => /PIN/.test(document.querySelector(".call .tag--ok")?.textContent));
  assert.match(await page.locator(".customer__side").textContent(), /410000-1000-0@example\.com/);

  // Documents of the customer by keys; find in the first.
  await keys(page, "j");
  await page.locator("[data-row]:focus").waitFor();
  await page.locator(".entry--document a").first().click();
  await page.waitForURL(/\/agent\/documents\//);
  await page.locator(".leaf svg.sheet").first().waitFor();
  await keys(page, "f");
  await page.keyboard.type("balance");
  await page.waitForFunction(() => /^1 \/ \d+$/.test(document.querySelector("[data-find-count]").value));
  const total = Number((await page.locator("[data-find-count]").textContent()).split("/")[1]);
  const marks = await page.locator(".leaf .mark").count();
  assert.ok(total >= 1 && marks >= 1 && marks <= total);

  // A note is written once, however often the button is pressed.
  await page.fill("[data-key-note]", "Asked about the closing balance.");
  const form = page.locator("[data-note-form]");
  await form.evaluate((element) => { element.dataset.sent = ""; });
  await page.keyboard.press("Escape");
  await form.getByRole("button").click();
  await page.waitForFunction(() => document.querySelectorAll(".notes__text").length === 1);

  // The copy goes to the verified address.
  await page.locator("[data-key-send]").click();
  await page.locator("#send button.btn--primary").click();
  await page.waitForFunction(() => /planned/.test(document.querySelector(".side").textContent));

  // Another month beside it.
  await page.locator("[data-key-compare]").click();
  await page.waitForURL(/compare/);
  assert.equal(await page.locator(".beside__side").count(), 2);
  await page.waitForFunction(() => [...document.querySelectorAll("[data-pages] .leaf > div")].some((host) => host.shadowRoot?.querySelector("rect[fill-opacity]")));
  assert.ok((await page.locator(".diff--changed").count()) > 0);

  await page.locator("[data-key-wrap-up]").click();
  await page.selectOption(".call select[name=code]", "answered");
  await page.locator(".call__end .btn--primary").first().click();
  await page.waitForURL(/\/agent(\?|$)/);
  assert.equal(await page.locator("section.call").count(), 0);
  await page.goto(customer);
  assert.match(await page.locator(".timeline").textContent(), /answered/);
  assert.deepEqual(page.complaints, []);
});

test("an account that is named opens its page; nobody known gives a search that is filled in", async () => {
  const page = await signedIn(chromium, "ann");
  const { base } = await import("./support.mjs");
  await page.goto(`${base}/agent/pop?account=4100001000%200&call=call-78`);
  await page.waitForURL(/\/agent\/customers\//);
  await page.goto(`${base}/agent/pop?ani=%2B44%2020%207946%200000&call=call-79`);
  assert.match(page.url(), /\/agent\/calls\//);
  assert.equal(await page.inputValue(".caller__search input"), "+44 20 7946 0000");
});

test("shortcuts are told and can be switched off", async () => {
  const page = await signedIn(chromium, "ann");
  await page.locator("main").focus();
  await keys(page, "?");
  await page.locator("#shortcuts[open]").waitFor();
  await page.locator("[data-keys-switch]").uncheck();
  await keys(page, "Escape");
  await page.locator("main").focus();
  await keys(page, "?");
  assert.equal(await page.locator("#shortcuts[open]").count(), 0);
});

test("a saved search comes back", async () => {
  const page = await signedIn(chromium, "ann");
  const { base } = await import("./support.mjs");
  await page.goto(`${base}/agent?q=k%3Abill%20`);
  await page.locator("summary", { hasText: "Save this search" }).click();
  await page.fill(".menu__list input[name=name]", "All bills");
  await page.keyboard.press("Enter");
  await page.locator(".saved a", { hasText: "All bills" }).click();
  await page.waitForURL(/q=k%3Abill/);
  await page.locator(".saved button").click();
  await page.waitForURL(/\/agent/);
  assert.equal(await page.locator(".saved").count(), 0);
});

test("the page shown is the rendition that the customer gets", async () => {
  const agent = await signedIn(chromium, "ann");
  const { base } = await import("./support.mjs");
  await agent.goto(`${base}/agent?q=a%3A410000-1000-0%20`);
  const id = await agent.locator("[data-row]").first().getAttribute("data-id");
  await agent.goto(`${base}/agent/documents/${id}`);
  await agent.waitForFunction(() => document.querySelector("[data-hash-text]")?.textContent.length === 64);
  const shown = await agent.locator("[data-hash-text]").textContent();
  const ava = await signedIn(chromium, "ava");
  const customer = await ava.evaluate(async (path) => {
    const bytes = await (await fetch(path)).arrayBuffer();
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }, `/api/v1/documents/${id}/content?format=pdf`);
  assert.equal(shown, customer);
});
