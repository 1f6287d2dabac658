// The customer portal without script, and a whole visit.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api, base, browser, fits, keys, printed, signedIn, tabTo } from "./support.mjs";

let chromium;
before(async () => {
  chromium = await browser();
});
after(() => chromium.close());

test("a customer finds a bill, reads, compares and asks, without script", async () => {
  const page = await signedIn(chromium, "ava", { javaScriptEnabled: false });
  await page.goto(`${base}/my`);
  await page.locator(".bill__main").first().click();
  assert.ok(await page.locator("iframe").isVisible());
  await page.locator(".glance__acts a[href$='/ask']").click();
  await page.fill("textarea[name=text]", "What is the first line?");
  await page.locator("form.card button").click();
  await page.waitForURL(/\/my\/questions\//);
  assert.match(await page.locator(".thread").textContent(), /What is the first line/);
});

// The newest bill of accounts whose holders have not enrolled: what they have on paper in their hands.
async function bills() {
  const ask = await api("ann");
  const { documents } = await ask("GET", "/api/v1/documents?definition=great-lakes-statement&limit=100");
  const newest = new Map();
  for (const { id, date, fields } of documents) {
    const { account, amount } = fields;
    if (account.startsWith("410000-1000")) continue;
    if (newest.has(account)) newest.get(account).several = true;
    else newest.set(account, { id, date, account, amount });
  }
  return [...newest.values()].filter((bill) => bill.several);
}

for (const [number, [locale, width]] of [["en-US", 1280], ["zh-CN", 1280], ["en-US", 360], ["zh-CN", 360]].entries()) {
  test(`a customer's visit by keyboard: enrol, consent, view, compare, ask: ${locale}, ${width} px`, async () => {
    const bill = (await bills())[number];
    const user = `visitor-${number}-${process.pid}`;
    const page = await signedIn(chromium, null, { locale, viewport: { width, height: 780 } });
    const enter = async (field, text) => {
      await tabTo(page, field);
      await page.keyboard.type(text);
    };

    // The way in: account number and two facts; a wrong fact keeps what was typed, and says no more than that.
    await page.goto(`${base}/enrol?report=great-lakes-statement`);
    for (const amount of ["1.23", bill.amount]) {
      await page.locator("main").focus();
      if (amount === "1.23") await enter("input[name=account]", bill.account);
      assert.equal(await page.inputValue("input[name=account]"), bill.account, "nothing typed is lost");
      await tabTo(page, "input[name=fact0]");
      await keys(page, "Control+A");
      await page.keyboard.type(bill.date);
      await tabTo(page, "input[name=fact1]");
      await keys(page, "Control+A");
      await page.keyboard.type(amount);
      if (amount === "1.23") await enter("input[name=name]", user);
      await enter("input[name=password]", "a-long-enough-one");
      await enter("input[name=again]", "a-long-enough-one");
      await keys(page, "Enter");
      if (amount === "1.23") await page.locator(".notice--bad").waitFor();
    }
    await page.waitForURL(/next=/);
    await tabTo(page, "input[name=name]");
    await page.keyboard.type(user);
    await enter("input[name=password]", "a-long-enough-one");
    await keys(page, "Enter");
    await page.waitForURL(/\/my/);
    await fits(page, "the documents");
    assert.equal(await page.getAttribute("html", "lang"), locale === "zh-CN" ? "zh-CN" : "en");
    const listed = (await page.locator(".bill").first().textContent()).replaceAll(",", "");
    assert.ok(listed.includes(bill.amount), "the amount is readable without opening");

    // Consent: read, open the sample, type its code.
    await page.goto(`${base}/my/settings`);
    await tabTo(page, "a[href^='/my/consent']");
    await keys(page, "Enter");
    await page.waitForURL(/\/my\/consent/);
    await fits(page, "the consent");
    const code = printed(await sample(page)).match(/\b[A-Z0-9]{6}\b/)[0];
    await tabTo(page, "input[name=code]");
    await page.keyboard.type("000000");
    await keys(page, "Enter");
    await page.locator(".notice--bad").waitFor();
    await page.locator("main").focus();
    await tabTo(page, "input[name=code]");
    await page.keyboard.type(code);
    await keys(page, "Enter");
    await page.waitForURL(/\/my\/settings/);
    await page.locator(".card .tag--ok").waitFor();

    // Who agreed to what is in their own log.
    await page.goto(`${base}/my/activity`);
    const agreed = page.locator("li", { hasText: locale === "zh-CN" ? /同意电子送达（说明文本第 1 版）/ : /Agreement to electronic delivery \(version 1 of the text\)/ });
    assert.match(await agreed.first().textContent(), locale === "zh-CN" ? /您 · / : /you · /);
    await fits(page, "the activity");

    // The newest bill: read, beside the one before, and a question about a line.
    await page.goto(`${base}/my`);
    await tabTo(page, ".bill__main");
    await keys(page, "Enter");
    await page.waitForURL(/\/my\/documents\//);
    const read = page.frameLocator("iframe.frame").locator("body");
    assert.match(await read.textContent(), new RegExp(bill.account));
    await fits(page, "the bill");
    const address = page.url();
    await tabTo(page, ".glance__acts a[href*='/compare']");
    await keys(page, "Enter");
    await page.waitForURL(/\/compare/);
    assert.ok((await page.locator(".versus__change").count()) > 0, "what changed is said");
    await fits(page, "the comparison");
    await page.goto(address);
    await tabTo(page, ".glance__acts a[href$='/ask']");
    await keys(page, "Enter");
    await page.waitForURL(/\/ask/);
    await tabTo(page, "select[name=line]");
    await keys(page, "ArrowDown");
    await enter("textarea[name=text]", `Is this right? (${user})`);
    await tabTo(page, "form.card button");
    await keys(page, "Enter");
    await page.waitForURL(/\/my\/questions\//);
    assert.match(await page.locator(".thread").textContent(), new RegExp(`Is this right\\? \\(${user}\\)`));
    await fits(page, "the question");

    // The agent has it as a request.
    const agent = await signedIn(chromium, "ann");
    await agent.goto(`${base}/agent/requests`);
    assert.match(await agent.locator("main").textContent(), new RegExp(bill.account));
    assert.deepEqual(page.complaints, []);
  });
}

test("a customer enrols with the PIN of a letter, which works once", async () => {
  const ACCOUNT = "414468-1004-4";
  const senior = await signedIn(chromium, "admin");
  await senior.goto(`${base}/agent/accounts/${ACCOUNT}`);
  const form = senior.locator(`form[action$="/${ACCOUNT}/pin-letter"]`);
  assert.ok(await form.locator("button").isVisible());
  const csrf = await form.locator("input[name=csrf]").inputValue();
  const answer = await senior.request.post(`${base}/agent/accounts/${ACCOUNT}/pin-letter`, { form: { csrf }, headers: { origin: base } });
  assert.equal(answer.headers()["content-type"], "application/pdf");
  assert.equal(answer.headers()["cache-control"], "no-store");
  const letter = printed(await answer.body());
  assert.match(letter, new RegExp(ACCOUNT));
  const [, pin] = letter.match(/\b([A-Z0-9]{5} [A-Z0-9]{5})\b/);

  const page = await signedIn(chromium, null, { viewport: { width: 360, height: 780 } });
  for (const [name, given] of [["olivia", "AAAAA AAAAA"], ["olivia", pin], ["mallory", pin]]) {
    const user = `${name}-${process.pid}`;
    await page.goto(`${base}/enrol?report=pin`);
    await page.fill("input[name=account]", ACCOUNT);
    await page.fill("input[name=pin]", given);
    await page.fill("input[name=name]", user);
    await page.fill("input[name=password]", "a-long-enough-one");
    await page.fill("input[name=again]", "a-long-enough-one");
    await page.keyboard.press("Enter");
    if (given === pin && name === "olivia") {
      await page.waitForURL(/next=/);
      await page.fill("input[name=name]", user);
      await page.fill("input[name=password]", "a-long-enough-one");
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/my/);
      assert.match(await page.locator("main").textContent(), new RegExp(ACCOUNT));
      await page.context().clearCookies();
    } else {
      await page.locator(".notice--bad").waitFor();
    }
  }
});

/** The sample that the button opens, as bytes. */
async function sample(page) {
  await tabTo(page, "form[action='/my/consent/sample'] button");
  const made = page.context().waitForEvent("response", (answer) => answer.url().endsWith("/my/consent/sample"));
  const opened = page.context().waitForEvent("page");
  await keys(page, "Enter");
  assert.equal((await made).status(), 200);
  await (await opened).close().catch(() => {});
  // The viewer of the browser keeps the bytes for itself: the form is sent once more; the codes of the last three count.
  const bytes = await page.evaluate(async () => {
    const form = document.querySelector("form[action='/my/consent/sample']");
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const read = new FileReader();
    const done = new Promise((resolve) => read.addEventListener("load", resolve));
    read.readAsDataURL(await answer.blob());
    await done;
    return read.result.split(",")[1];
  });
  return Buffer.from(bytes, "base64");
}
