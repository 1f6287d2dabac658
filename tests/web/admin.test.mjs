// Administration and what everybody meets (own account, errors, enrolment, sign-in): accessible in both languages, light and
// dark, 360 px wide; and an administrator's work on a definition and a policy.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, base, browser, fits, signedIn } from "./support.mjs";

let chromium;
before(async () => {
  chromium = await browser();
});
after(() => chromium.close());

const pages = [
  "/admin", "/admin?days=365", "/admin/definitions", "/admin/definitions/telecom-bill", "/admin/definition",
  "/admin/definition?name=bank-statement", "/admin/audit", "/admin/audit?outcome=failed", "/admin/audit?document=wrong",
  "/admin/people", "/admin/distribution", "/account", "/admin/definitions/none", "/nowhere",
];
const outside = ["/", "/enrol", "/nowhere", "/d/none"];
const looks = [["en-US", "light"], ["en-US", "dark"], ["zh-CN", "light"], ["zh-CN", "dark"]];

for (const [locale, colorScheme] of looks) {
  test(`axe finds nothing in administration: ${locale}, ${colorScheme}`, async () => {
    const page = await signedIn(chromium, "admin", { locale, colorScheme });
    for (const path of pages) {
      await page.goto(base + path);
      await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
      await page.waitForTimeout(150);
      assert.equal(await page.getAttribute("html", "lang"), locale.startsWith("zh") ? "zh-CN" : "en");
      await accessible(page, `${path} ${locale} ${colorScheme}`);
    }
  });

  test(`axe finds nothing for those who did not sign in: ${locale}, ${colorScheme}`, async () => {
    const page = await signedIn(chromium, null, { locale, colorScheme });
    for (const path of outside) {
      await page.goto(base + path);
      await accessible(page, `${path} ${locale} ${colorScheme}`);
    }
  });
}

test("nothing in administration is wider than a small telephone", async () => {
  const page = await signedIn(chromium, "admin", { viewport: { width: 360, height: 740 } });
  for (const path of pages) {
    await page.goto(base + path);
    await fits(page, path);
  }
});

test("a definition is tried on an archived load, and its errors are told with their places", async () => {
  const page = await signedIn(chromium, "admin");
  await page.goto(`${base}/admin/definition?name=great-lakes-statement`);
  const loads = await page.locator("select[name=load] option").evaluateAll((all) => all.map((one) => [one.value, one.textContent]));
  await page.selectOption("select[name=load]", loads.find(([, text]) => text.includes("great-lakes-2024-01"))[0]);
  await page.click("button[value=try]");
  assert.ok(await page.locator("mark.spot--trigger[title]").count() > 0, "triggers are marked");
  assert.ok(await page.locator("mark.spot--field[title]").count() > 5, "fields are marked");
  await accessible(page, "a preview");
  const text = await page.inputValue("#source");
  await page.fill("#source", text.replace('kind = "statement"', 'knd = "statement"'));
  await page.click("button[value=save]");
  const told = await page.locator(".faults").textContent();
  assert.match(told, /Line \d+, column 1/);
  assert.match(told, /Allowed: name, title/);
  await accessible(page, "errors of a definition");
});

test("a sample is uploaded, and a composed page is shown with its regions", async () => {
  const page = await signedIn(chromium, "admin");
  await page.goto(`${base}/admin/definition?name=bank-statement-afp`);
  const loads = await page.locator("select[name=load] option").evaluateAll((all) => all.map((one) => [one.value, one.textContent]));
  await page.selectOption("select[name=load]", loads.find(([, text]) => text.includes("bank-statement-afp"))[0]);
  await page.click("button[value=try]");
  assert.ok(await page.locator(".picture img").first().isVisible());
  assert.ok(await page.locator(".picture rect").count() > 0);
  await accessible(page, "a preview with pictures");
  await page.goto(`${base}/admin/definition`);
  const letters = [
    'name = "letters"', 'title = "Letters"', 'kind = "notice"', 'read = "auto"', "", "[document]", 'start = "pages"', "pages = 1",
    'title = "{who}"', "", "[[field]]", 'name = "who"', "row = 1", 'after = "DEAR"', "",
  ];
  await page.fill("#source", letters.join("\n"));
  await page.setInputFiles("input[type=file]", { name: "l.txt", mimeType: "text/plain", buffer: Buffer.from("DEAR ADA\nhello\n\fDEAR BOB\n") });
  await page.click("button[value=try]");
  assert.match(await page.locator("#preview").textContent(), /l\.txt/);
  assert.equal(await page.locator("mark.spot--field[title=who]").count(), 2);
});

test("a policy says what it would hide before it is kept", async () => {
  const page = await signedIn(chromium, "admin");
  await page.goto(`${base}/admin/people`);
  const form = page.locator("details", { has: page.locator("textarea[name=rule]") });
  await form.locator("summary").first().click();
  await form.locator("input[name=name]").fill("only-bills");
  await form.locator("textarea[name=rule]").fill('kind = "bill"');
  await form.locator("input[name=roles]").fill("agent");
  await form.locator("button[value=try]").click();
  const told = await page.locator(".trial").textContent();
  assert.match(told, /would hide [1-9][\d,]* of [1-9][\d,]* documents from Role agent/);
  assert.equal(await page.locator(".trial li a").count(), 5);
  await accessible(page, "a policy's dry run");
  const agent = await signedIn(chromium, "ann");
  await agent.goto(`${base}/agent?q=statement`);
  assert.ok(await agent.locator("[data-row]").count() > 0, "nothing was kept");
});
