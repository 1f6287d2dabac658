// Every page of the console: accessible, in both languages, light and dark, 360 px wide, without script.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, api, base, browser, customers, fits, signedIn } from "./support.mjs";

let chromium;
let pages;
before(async () => {
  chromium = await browser();
  await customers();
  const ask = await api("ann");
  const account = await ask("GET", "/api/v1/accounts/410000-1000-0");
  const found = await ask("GET", "/api/v1/documents?account=410000-1000-0&limit=1");
  const id = found.documents[0].id;
  const request = await ask("POST", "/api/v1/requests", { kind: "question", account: "410000-1000-0", text: "What is this fee?" });
  pages = [
    "/agent", "/agent?q=barnes%202024", "/agent?q=nothing-like-this", "/agent?q=(broken", `/agent/documents/${id}`,
    `/agent/documents/${id}?tab=html`, `/agent/documents/${id}?find=balance`, `/agent/documents/${id}/compare`,
    `/agent/customers/${account.customer}`, "/agent/accounts/410000-1000-0", "/agent/requests",
    `/agent/requests/${request.id}`, "/agent/documents/9999-1",
  ];
});
after(() => chromium.close());

for (const [locale, colorScheme] of [["en-US", "light"], ["en-US", "dark"], ["zh-CN", "light"], ["zh-CN", "dark"]]) {
  test(`axe finds nothing: ${locale}, ${colorScheme}`, async () => {
    const page = await signedIn(chromium, "ann", { locale, colorScheme });
    for (const path of pages) {
      await page.goto(base + path);
      await page.waitForTimeout(300);
      assert.equal(await page.getAttribute("html", "lang"), locale.startsWith("zh") ? "zh-CN" : "en");
      await accessible(page, `${path} ${locale} ${colorScheme}`);
    }
    assert.deepEqual(page.complaints, []);
  });
}

test("the sign-in page is accessible in both languages", async () => {
  for (const locale of ["en-US", "zh-CN"]) {
    const page = await signedIn(chromium, null, { locale });
    await page.goto(base);
    await accessible(page, `sign-in ${locale}`);
  }
});

test("nothing is wider than a small telephone", async () => {
  const page = await signedIn(chromium, "ann", { viewport: { width: 360, height: 740 } });
  for (const path of pages) {
    await page.goto(base + path);
    await page.waitForTimeout(200);
    await fits(page, path);
  }
});

test("pages work without script", async () => {
  const page = await signedIn(chromium, "ann", { javaScriptEnabled: false });
  await page.goto(`${base}/agent`);
  await page.fill("#q", "barnes 2024-03 ");
  await page.keyboard.press("Enter");
  await page.locator("[data-row] a").first().click();
  assert.ok(await page.locator(".leaf img").first().isVisible());
  await page.fill("#find", "balance");
  await page.keyboard.press("Enter");
  await page.waitForURL(/find=balance/);
  assert.match(await page.locator("[data-find-count]").textContent(), /^[1-9]/);
});

test("no Chinese page has English words of the program left", async () => {
  const page = await signedIn(chromium, "ann", { locale: "zh-CN" });
  await page.goto(`${base}/agent`);
  const labels = await page.locator("button, summary, th, h2, label").allTextContents();
  const english = labels.map((text) => text.trim()).filter((text) => /^[A-Za-z][A-Za-z ]+$/.test(text) && !/^Ann Agent|AA|PDF$/.test(text));
  assert.deepEqual(english, []);
});
