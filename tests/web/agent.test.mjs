// An agent's call from the pop to the wrap-up, by keyboard.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { base, browser, choose, customers, fits, keys, retype, signedIn, tabTo } from "./support.mjs";

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
  // Results come with the first letters; those of the whole text have both of its parts.
  await page.waitForFunction(() => document.querySelectorAll(".chip__kind").length === 2 && /^[1-9]\d? documents?$/.test(document.querySelector(".hits__total")?.textContent.trim()));
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

for (const [locale, width, call] of [["en-US", 1280, "call-77"], ["zh-CN", 1280, "call-77-zh"], ["en-US", 360, "call-77-small"], ["zh-CN", 360, "call-77-small-zh"]]) {
  test(`a whole call by keyboard: pop, choose, verify, find, send, note, compare, wrap up: ${locale}, ${width} px`, async () => {
    const page = await signedIn(chromium, "ann", { locale, viewport: { width, height: 800 } });
    await page.goto(`${base}/agent/pop?ani=%2B1%20937%20555%200177&call=${call}`);
    assert.match(page.url(), /\/agent\/calls\//, "the number leaves the address at once");
    assert.doesNotMatch(page.url(), /937|555/);
    const names = await page.locator(".candidate__name").allTextContents();
    assert.equal(names.length, 2, "two customers with one number");
    assert.ok(names.every((name) => /^(\S… ?)+$/.test(name)), `masked: ${names}`);
    assert.match(await page.locator(".candidate").nth(0).textContent(), /•••• \d{4}/);
    const wanted = await page.locator(".candidate").filter({ hasText: "•••• 0000" }).locator("input[name=customer]").inputValue();
    await tabTo(page, `.candidate:has(input[value="${wanted}"]) button`);
    await keys(page, "Enter");
    await page.waitForURL(/\/agent\/customers\//);
    const customer = page.url();
    assert.match(await page.locator("h1").textContent(), /Barnes/);
    const before = await page.locator("main").textContent();
    assert.match(before, /a(\*\*\*|…)\w?@example/, "addresses are there");
    assert.doesNotMatch(before, /[\w.-]{2,}@example|Birch/, "caller id alone unmasks nothing: neither contact points nor where copies went");
    await fits(page, "the customer's page");

    // How the caller was verified, by `v`.
    await keys(page, "v");
    await choose(page, "pin");
    await tabTo(page, "[data-key-verify]");
    await keys(page, "Enter");
    await page.locator(".call .tag--ok", { hasText: "PIN" }).waitFor();
    assert.match(await page.locator(".customer__side").textContent(), /410000-1000-0@example\.com/);

    // Their documents by the search box; the first opens with Enter.
    await keys(page, "/");
    if (!(await page.locator("[data-results]").count())) {
      await page.keyboard.type("a:410000-1000-0 ");
      await keys(page, "Enter");
      await page.waitForURL(/\/agent\?q=/);
      await page.locator("main").focus();
    }
    await page.locator("[data-row]").first().waitFor();
    await keys(page, "j");
    await page.locator("[data-row]:focus").waitFor();
    await keys(page, "Enter");
    await page.waitForURL(/\/agent\/documents\//);
    await page.locator(".leaf svg.sheet").first().waitFor();
    await fits(page, "the document's page");
    const document = new URL(page.url()).pathname;

    // Find in it.
    await keys(page, "f");
    await retype(page, "balance");
    await page.waitForFunction(() => /^1 \/ \d+$/.test(globalThis.document.querySelector("[data-find-count]").value));
    const total = Number((await page.locator("[data-find-count]").textContent()).split("/")[1]);
    await page.locator(".leaf .mark.now").first().waitFor();
    const marks = await page.locator(".leaf .mark").count();
    assert.ok(marks >= 1 && marks <= total, `${marks} marks of ${total} hits`);
    await keys(page, "Escape");

    // The copy goes to the verified address.
    const sent = await page.locator("[data-copy]").count();
    await keys(page, "s");
    await page.locator("#send[open]").waitFor();
    await tabTo(page, "#send button.btn--primary");
    await keys(page, "Enter");
    await page.waitForURL(/documents/);
    await page.waitForFunction((count) => globalThis.document.querySelectorAll("[data-copy]").length === count, sent + 1);

    // A note is written once, however often Enter is pressed.
    await page.locator(".leaf svg.sheet").first().waitFor();
    await page.locator("main").focus();
    await keys(page, "a");
    const text = `Asked about the closing balance (${call}).`;
    await page.keyboard.type(text);
    await tabTo(page, "[data-note-form] button.btn--primary");
    await keys(page, "Enter", "Enter");
    await page.locator(".notes__text", { hasText: text }).waitFor();
    assert.equal(await page.locator(".notes__text", { hasText: text }).count(), 1);

    // Another month beside it.
    await page.locator("main").focus();
    await keys(page, "c");
    await page.waitForURL(/compare/);
    assert.equal(await page.locator(".beside__side").count(), 2);
    await page.waitForFunction(() => [...globalThis.document.querySelectorAll("[data-pages] .leaf > div")].some((host) => host.shadowRoot?.querySelector("rect[fill-opacity]")));
    assert.ok((await page.locator(".diff--changed").count()) > 0);
    assert.ok((await page.locator(".compare__lines .diff--added").count()) > 0, "other references are other lines");
    assert.ok((await page.locator(".compare__lines thead th.number").count()) > 0, "amounts stand under their head");
    await fits(page, "the comparison");

    await page.locator("main").focus();
    await keys(page, "e");
    await choose(page, "answered");
    await tabTo(page, ".call__end textarea");
    await page.keyboard.type(`Explained the balance (${call}).`);
    await tabTo(page, ".call__end .btn--primary");
    await keys(page, "Enter");
    await page.waitForURL(/\/agent(\?|$)/);
    assert.equal(await page.locator("section.call").count(), 0);
    await page.goto(customer);
    assert.match(await page.locator(".timeline").textContent(), new RegExp(`Explained the balance \\(${call}\\)`));
    assert.ok((await page.locator(`.timeline a[href^="${document}"]`).count()) > 0, "what was seen in the call is on the timeline");
    assert.deepEqual(page.complaints, []);
  });
}

test("an account that is named opens its page; nobody known gives a search that is filled in", async () => {
  const page = await signedIn(chromium, "ann");
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
