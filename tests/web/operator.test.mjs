// The operator at three in the morning, by keyboard: what arrived and was not known is found, looked at, named, loaded,
// checked and taken out again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, api, arrives as arrived, base, becomes as became, browser, choose, fits, keys, retype, signedIn, stock, tabTo } from "./support.mjs";

let chromium;
let ask;
before(async () => {
  chromium = await browser();
  ask = await api("admin");
});
after(() => chromium.close());

const arrives = (name, text, states) => arrived(ask, name, text, states);
const becomes = (name, states) => became(ask, name, states);

for (const [locale, width] of [["en-US", 1280], ["zh-CN", 1280], ["en-US", 360], ["zh-CN", 360]]) {
  test(`found, looked at, tried, named, loaded, checked, taken out, by keyboard: ${locale}, ${width} px`, async () => {
    const name = `stock-${locale}-${width}.txt`;
    const item = await arrives(name, stock(name), ["unidentified"]);
    const page = await signedIn(chromium, "admin", { locale, viewport: { width, height: 800 } });

    // From the administrator's page to the arrivals, to those that nobody knows.
    await page.goto(`${base}/admin`);
    await tabTo(page, "main a[href='/admin/arrivals']");
    await keys(page, "Enter");
    await page.waitForURL(/\/admin\/arrivals$/);
    await tabTo(page, ".states a[href*='unidentified']");
    await keys(page, "Enter");
    await page.waitForURL(/state=unidentified/);
    await fits(page, "arrivals");
    await page.locator("main").focus();
    for (let step = 0; step < 30; step += 1) {
      await keys(page, "j");
      if (await page.locator(`[data-row][data-id="${item.id}"]:focus`).count()) break;
    }
    await keys(page, "Enter");
    await page.waitForURL(new RegExp(`/admin/arrivals/${item.id}$`));

    // The first pages, as they would be printed.
    assert.match(await page.locator(".printout pre").first().textContent(), /STOCK LIST/);
    assert.equal(await page.locator(".printout").count(), 3);
    await fits(page, "an arrival");

    // A trial of the wrong definition finds nothing; the line printer listing gives one document.
    await tabTo(page, ".try select");
    await choose(page, "overdraft-notice");
    await tabTo(page, ".try button");
    await keys(page, "Enter");
    await page.waitForURL(/definition=overdraft-notice/);
    assert.equal(await page.locator(".sums dd").first().textContent(), "0");
    assert.ok(await page.locator(".trial .notice--warn").count(), "it says that there would be no document");
    await fits(page, "a trial");
    await tabTo(page, ".try select");
    await keys(page, "Home");
    await choose(page, "line-printer");
    await tabTo(page, ".try button");
    await keys(page, "Enter");
    await page.waitForURL(/definition=line-printer/);
    assert.equal(await page.locator(".sums dd").first().textContent(), "1");

    // Named and loaded; the page tells by itself when it is.
    await tabTo(page, ".trial form .btn--primary");
    await keys(page, "Enter");
    await page.waitForURL(/said=|arrivals\/\d+$/);
    await page.locator(".now .tag--ok").waitFor();
    const history = await page.locator(".steps li").allTextContents();
    assert.ok(history.some((step) => step.includes("admin")), `who named it: ${history}`);
    await tabTo(page, ".now a.btn--primary");
    await keys(page, "Enter");
    await page.waitForURL(/\/admin\/loads\/\d+$/);

    // The books: seven pages came in, and all are accounted for.
    const balance = (await page.locator(".balance > span").allTextContents()).map((part) => part.match(/\d+/)[0]);
    assert.equal(balance[0], "7");
    assert.equal(Number(balance[1]) + Number(balance[2]), 7, `${balance}`);
    assert.match(await page.locator("main").textContent(), new RegExp(name));
    await fits(page, "a load");

    // It was the wrong report after all: taken out, with a reason.
    await tabTo(page, ".operate__side summary");
    await keys(page, "Enter");
    await tabTo(page, "input[name=reason]");
    await page.keyboard.type(`wrong report ${name}`);
    await tabTo(page, "input[name=sure]");
    await keys(page, "Space");
    await tabTo(page, ".btn--danger");
    await keys(page, "Enter");
    await page.locator(".tag--warn").waitFor();
    assert.match(await page.locator("main").textContent(), new RegExp(`wrong report ${name}`));
    const audit = await ask("GET", "/api/v1/audit?limit=50");
    assert.ok(JSON.stringify(audit).includes(`wrong report ${name}`), "the reason is in the audit");
    assert.equal((await ask("GET", `/api/v1/intake/${item.id}`)).state, "discarded");
    assert.deepEqual(page.complaints, []);
  });
}

test("a rule is made by keyboard, takes up what waits, and is taken back", async () => {
  const waiting = await arrives("weekly-1.lst", stock("weekly one"), ["unidentified"]);
  const page = await signedIn(chromium, "admin");
  await page.goto(`${base}/admin/rules`);
  await tabTo(page, "input[name=name]");
  await retype(page, "weekly-*");
  await tabTo(page, "select[name=definition]");
  await choose(page, "line-printer");
  await tabTo(page, ".operate__form .btn--primary");
  await keys(page, "Enter");
  await page.locator(".stacked tbody tr", { hasText: "weekly-*" }).waitFor();
  await becomes("weekly-1.lst", ["loaded"]);
  assert.equal((await ask("GET", `/api/v1/intake/${waiting.id}`)).definition, "line-printer");
  await arrives("weekly-2.lst", stock("weekly two"), ["loaded"]);
  await tabTo(page, ".stacked form button");
  await keys(page, "Enter");
  await page.waitForFunction(() => !document.querySelector(".stacked"));
  const next = await arrives("weekly-3.lst", stock("weekly three"), ["unidentified"]);
  await ask("POST", `/api/v1/intake/${next.id}/discard`, { reason: "a test" });
  assert.deepEqual(page.complaints, []);
});

test("the list tells by itself what arrived, and the focus stays where it is", async () => {
  const first = await arrives("here-first.txt", stock("here first"), ["unidentified"]);
  const page = await signedIn(chromium, "admin");
  await page.goto(`${base}/admin/arrivals`);
  await page.locator(`[data-row][data-id="${first.id}"]`).focus();
  const second = await arrives("then-second.txt", stock("then second"), ["unidentified"]);
  await page.locator(`[data-row][data-id="${second.id}"]`).waitFor({ timeout: 15_000 });
  assert.equal(await page.evaluate(() => document.activeElement.dataset.id), String(first.id));
  for (const item of [first, second]) await ask("POST", `/api/v1/intake/${item.id}/discard`, { reason: "a test" });
  assert.deepEqual(page.complaints, []);
});

for (const locale of ["en-US", "zh-CN"]) {
  test(`a queue is paused, said at the top of the list, and goes on: ${locale}`, async () => {
    const page = await signedIn(chromium, "admin", { locale, viewport: { width: 360, height: 800 } });
    await page.goto(`${base}/admin/arrivals`);
    await tabTo(page, "#stop ~ form input[name=queue]");
    await retype(page, "IN");
    await tabTo(page, "#stop ~ form button[value=pause]");
    await keys(page, "Enter");
    await page.waitForURL(/said=arr_queue_pause/);
    await page.locator(".queue-stopped", { hasText: "IN" }).waitFor();
    const name = `paused-${locale}.txt`;
    const item = await arrives(name, stock(name), ["held"]);
    await fits(page, "a paused queue");
    await accessible(page, "a paused queue");
    assert.deepEqual((await ask("GET", "/api/v1/intake-queues")).items.map((one) => [one.queue, one.paused]), [["IN", true]]);
    await page.locator(".queue-stopped button[value=resume]").click();
    await page.waitForURL(/said=arr_queue_resume/);
    assert.equal(await page.locator(".queue-stopped").count(), 0);
    await becomes(name, ["unidentified"]);
    await ask("POST", `/api/v1/intake/${item.id}/discard`, { reason: "a test" });
    // What is no name is refused on the page, in its language.
    await page.fill("#stop ~ form input[name=queue]", "two words");
    await page.click("#stop ~ form button[value=close]");
    await page.locator("[role=alert]", { hasText: locale === "en-US" ? "is no name of a queue" : "不是队列名称" }).waitFor();
    assert.deepEqual(page.complaints, []);
  });
}

test("the pages work without script", async () => {
  const item = await arrives("plain.txt", stock("plain"), ["unidentified"]);
  const page = await signedIn(chromium, "admin", { javaScriptEnabled: false });
  await page.goto(`${base}/admin/arrivals?q=plain.txt`);
  await page.locator("[data-row] a").first().click();
  await page.waitForURL(new RegExp(`/admin/arrivals/${item.id}$`));
  await page.locator(".operate__side summary").last().click();
  await page.fill("input[name=reason]", "not ours");
  await page.locator(".btn--danger").click();
  await page.waitForURL(/said=arr_discard/);
  assert.match(await page.locator(".now").textContent(), /not ours/);
});
