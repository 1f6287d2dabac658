// The customer portal: accessible, in both languages, light and dark, 360 px wide, without script; a whole visit.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, api, base, browser, fits, signedIn } from "./support.mjs";

let chromium;
let pages;
before(async () => {
  chromium = await browser();
  const ask = await api("ava");
  const { documents } = await ask("GET", "/api/v1/documents?limit=1");
  const id = documents[0].id;
  const request = await ask("POST", "/api/v1/requests", { document: id, text: "Is this right?" });
  pages = [
    "/my", "/my?q=nothing-like-this", "/my?q=(broken", `/my/documents/${id}`, `/my/documents/${id}?tab=pages`, `/my/documents/${id}/compare`,
    `/my/documents/${id}/compare?with=last-year`, `/my/documents/${id}/ask`, "/my/questions", `/my/questions/${request.id}`, "/my/activity",
    "/my/settings", "/my/consent", "/my/consent?wrong=1&needed=1", "/my/period", "/my/period?none=1", "/my/documents/9999-1",
  ];
});
after(() => chromium.close());

for (const [locale, colorScheme] of [["en-US", "light"], ["en-US", "dark"], ["zh-CN", "light"], ["zh-CN", "dark"]]) {
  test(`axe finds nothing in the portal: ${locale}, ${colorScheme}`, async () => {
    const page = await signedIn(chromium, "ava", { locale, colorScheme });
    await page.goto(`${base}/language?to=${locale.startsWith("zh") ? "zh-CN" : "en"}&back=/my`);
    for (const path of pages) {
      await page.goto(base + path);
      await accessible(page, `${path} ${locale} ${colorScheme}`);
    }
    assert.deepEqual(page.complaints, []);
  });
}

test("nothing of the portal is wider than a small telephone", async () => {
  const page = await signedIn(chromium, "ava", { viewport: { width: 360, height: 740 } });
  for (const path of pages) {
    await page.goto(base + path);
    await fits(page, path);
  }
});

test("enrolment is accessible and fits", async () => {
  const page = await signedIn(chromium, null, { viewport: { width: 360, height: 740 } });
  for (const path of ["/enrol", "/enrol?report=pin"]) {
    await page.goto(base + path);
    await accessible(page, path);
    await fits(page, path);
  }
});

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
