// The operator's page: what went wrong is said and put right there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api, base, browser, distributions, signedIn } from "./support.mjs";

const PAGE = `${base}/admin/distribution`;
let chromium;
let one;
before(async () => {
  chromium = await browser();
  one = await distributions(await api("admin"));
});
after(() => chromium.close());

test("what went wrong is said, and put right", async () => {
  const page = await signedIn(chromium, "admin");
  await page.goto(`${PAGE}?run=${one}`);
  const row = page.locator("tbody tr", { hasText: "no address" }).first();
  const piece = await row.locator("td").first().innerText();
  assert.equal(await row.getByRole("textbox").count(), 0, "no field is open until somebody asks for it");
  // By keyboard: the fold opens, and the field is the next stop.
  await row.locator("summary").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.name), "to");
  await row.locator("input[name=to]").fill("ada@example.com");
  await row.getByLabel(`Reason: Piece ${piece}`).fill("said so on the telephone");
  await row.getByLabel(`Send there: Piece ${piece}`).click();
  await page.waitForURL(/run=/);
  const moved = page.locator("tbody tr", { hasText: "ada@example.com" });
  for (let wait = 0; wait < 60 && !(await moved.count()); wait += 1) {
    await page.waitForTimeout(250);
    await page.reload();
  }
  assert.match(await moved.innerText(), /is tried again/);
  await page.goto(PAGE);
  const inside = page.locator("section", { hasText: "inside/" });
  assert.match(await inside.innerText(), /own network/);
  assert.equal(await inside.getByRole("button", { name: /Send there/ }).count(), 0, "a webhook has one place");
  const held = page.locator("section", { hasText: "held/" });
  await held.getByRole("button", { name: "Release" }).click();
  await page.waitForURL(PAGE);
  assert.match(await page.locator("section", { hasText: "held/" }).innerText(), /released by admin/);
});

test("a run is planned by hand, and what waits is tried at once", async () => {
  const page = await signedIn(chromium, "admin");
  const plan = async (loads) => {
    await page.goto(PAGE);
    const form = page.locator("main details").first();
    await form.locator("summary").click();
    await form.getByLabel("Distribution").selectOption("held");
    await form.getByLabel("Numbers of loads").fill(loads);
    await form.getByRole("button", { name: "Plan a run" }).click();
  };
  await plan("9999");
  await page.getByText("there is no load 9999").waitFor();
  await plan("1, 2");
  await page.waitForURL(/run=\d+/);
  assert.match(await page.locator("main").innerText(), /held\/load-1\+2/);
  await page.goto(`${PAGE}?run=${one}`);
  await page.getByRole("button", { name: "Try what waits now" }).click();
  await page.waitForURL(/run=/);
  await page.locator("tbody tr", { hasText: "ada@example.com" }).waitFor();
});
