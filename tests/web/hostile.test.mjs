// Bad input: each a clear page in the reader's language, nothing lost.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { base, browser, customers, signedIn } from "./support.mjs";

let chromium;
before(async () => {
  chromium = await browser();
  await customers();
});
after(() => chromium.close());

test("a broken query says where, in both languages", async () => {
  for (const locale of ["en-US", "zh-CN"]) {
    const page = await signedIn(chromium, "ann", { locale });
    await page.goto(`${base}/agent?q=fee%20(late`);
    assert.equal(await page.locator(".broken__query mark").textContent(), "(");
    assert.equal(await page.inputValue("#q"), "fee (late", "what was typed stays");
  }
});

test("a query of 500 characters is answered", async () => {
  const page = await signedIn(chromium, "ann");
  const answer = await page.goto(`${base}/agent?q=${encodeURIComponent("12 34.50 march ".repeat(34))}`);
  assert.ok([200, 400].includes(answer.status()));
  assert.ok(await page.locator(".hits").isVisible());
});

test("another's document and one that is not there are the same clear page", async () => {
  const page = await signedIn(chromium, "zhou", { locale: "zh-CN" });
  const texts = [];
  for (const id of ["7-1", "9999-1"]) {
    const answer = await page.goto(`${base}/my/documents/${id}`);
    assert.equal(answer.status(), 404);
    texts.push(await page.locator("main").textContent());
  }
  assert.equal(texts[0], texts[1]);
  assert.match(texts[0], /这里没有内容/);
});

test("an expired link is a clear page", async () => {
  const page = await signedIn(chromium, null);
  const answer = await page.goto(`${base}/d/0000000000000000000000000000000000000000000`);
  assert.ok(answer.status() >= 400 && answer.status() < 500);
  assert.match(await page.locator("h1").textContent(), /link|nothing/i);
});

test("a form that is sent twice counts once", async () => {
  const page = await signedIn(chromium, "ann");
  await page.goto(`${base}/agent/accounts/410000-1000-0`);
  const places = await page.evaluate(async () => {
    const form = document.querySelector("form[action='/agent/notes']");
    form.elements.text.value = "Written once.";
    const send = () => fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    return [(await send()).url, (await send()).url];
  });
  assert.equal(places[0], places[1]);
  await page.reload();
  assert.equal(await page.locator(".entry__text", { hasText: "Written once." }).count(), 1);
});

test("the back button after signing out shows nothing", async () => {
  const page = await signedIn(chromium, "ann");
  await page.goto(`${base}/agent?q=barnes`);
  await page.locator(".menu summary", { hasText: "Ann" }).click();
  await page.locator("form[action='/sign-out'] button").click();
  await page.waitForURL(`${base}/`);
  await page.goBack();
  await page.waitForTimeout(500);
  assert.equal(await page.locator("[data-row]").count(), 0);
  assert.ok(await page.locator("input[name=password]").isVisible());
});

test("a page that does not exist of a document that does is told", async () => {
  const page = await signedIn(chromium, "ann");
  await page.goto(`${base}/agent/documents/7-1?page=999`);
  assert.equal(await page.inputValue("[data-page-box]"), "1");
});
