// An administrator's work on a definition and a policy.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, api, base, browser, signedIn } from "./support.mjs";

let chromium;
before(async () => {
  chromium = await browser();
});
after(() => chromium.close());

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

test("errors of a definition and warnings of a load are in Chinese on Chinese pages", async () => {
  const page = await signedIn(chromium, "admin", { locale: "zh-CN" });
  await page.goto(`${base}/language?to=zh-CN&back=/admin/definition`);
  const wrong = [
    'name = "Bad Name"', 'kidn = "bill"', 'compression = "medium"', "[[trigger]]", 'name = "head"', 'row = "0"', "[[field]]", 'name = "amount"',
    'type = "decimal"', 'trigger = "haed"', "regex = '(['", 'format = "%q"', "[document]", 'start = "pages"', 'title = "{amont"', "",
  ];
  await page.fill("#source", wrong.join("\n"));
  await page.click("button[value=try]");
  await page.locator(".faults").waitFor();
  assert.ok((await page.locator(".faults > li").count()) > 8);
  const rest = await page.evaluate(() => {
    const faults = document.querySelector(".faults").cloneNode(true);
    faults.querySelectorAll("pre, code").forEach((one) => one.remove());
    return faults.textContent;
  });
  // Words of the definition language stay; sentences do not.
  assert.doesNotMatch(rest, /\b(is|are|the|not|must|missing|unknown|did|you|allowed|such|letters)\b/);
  const loads = await api("admin");
  const warned = (await loads("GET", "/api/v1/loads?limit=100")).loads.find((one) => one.warnings.length > 0).load;
  await page.goto(`${base}/admin/loads/${warned}`);
  const told = await page.locator("main table").allTextContents();
  assert.match(told.join(" "), /字体替代|资源缺失/);
  assert.doesNotMatch(told.join(" "), /\b(byte|record|page) \d/);
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
  await form.locator("input[name=roles][value=agent]").check();
  await form.locator("input[name=roles][value=supervisor]").check();
  await form.locator("button[value=try]").click();
  const told = await page.locator(".trial").textContent();
  assert.match(told, /would hide [1-9][\d,]* of [1-9][\d,]* documents from Role agent/);
  assert.equal(await page.locator(".trial li a").count(), 5);
  const kept = await form.locator("input[name=roles]:checked").evaluateAll((boxes) => boxes.map((box) => box.value));
  assert.deepEqual(kept, ["agent", "supervisor"], "what was ticked stays ticked");
  await accessible(page, "a policy's dry run");
  const agent = await signedIn(chromium, "ann");
  await agent.goto(`${base}/agent?q=statement`);
  assert.ok(await agent.locator("[data-row]").count() > 0, "nothing was kept");
});
