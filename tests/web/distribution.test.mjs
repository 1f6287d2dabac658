// The operator's page: what went wrong is said and put right there, in both languages, accessible, on a small screen too.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { accessible, api, base, browser, fits, signedIn } from "./support.mjs";

const PAGE = `${base}/admin/distribution`;
let chromium;
let one;
before(async () => {
  chromium = await browser();
  // Nobody listens on port 9; the webhook leads into the own network; nobody has an address.
  writeFileSync("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G\n");
  writeFileSync(`${process.env.GREENBAR_ARCHIVE ?? "archive"}/distribution.toml`, `
public_url = "https://bills.example.com"
retry_s = [3600]
[[distribution]]
name = "no-address"
since = "2020-01-01"
definitions = ["telecom-bill"]
channels = ["mail"]
[[distribution]]
name = "inside"
since = "2020-01-01"
definitions = ["overdraft-notice"]
channels = ["events"]
[[distribution]]
name = "held"
since = "2020-01-01"
definitions = ["sales-register"]
channels = ["events"]
hold = true
[channel.mail]
kind = "smtp"
host = "127.0.0.1"
port = 9
tls = "none"
sender = "bills@lakes.example"
[channel.events]
kind = "webhook"
url = "https://10.0.0.9/hooks"
secret_file = "${process.cwd()}/secret"
`);
  const ask = await api("admin");
  for (let wait = 0; wait < 300; wait += 1) {
    const { items } = await ask("GET", "/api/v1/distribution/runs");
    one = items.find((run) => run.key.startsWith("no-address"))?.number;
    const inside = items.find((run) => run.key.startsWith("inside"))?.number;
    if (one && inside) {
      const { reconciliation } = await ask("GET", `/api/v1/distribution/runs/${inside}`);
      if (reconciliation.rungs.events.retrying) return;
    }
    await new Promise((done) => setTimeout(done, 200));
  }
  assert.fail("nothing was planned");
});
after(() => chromium.close());

for (const locale of ["en-US", "zh-CN"]) {
  test(`axe finds nothing: ${locale}`, async () => {
    const page = await signedIn(chromium, "admin", { locale });
    for (const path of [PAGE, `${PAGE}?run=${one}`, `${PAGE}?run=${one}&from=30`]) {
      await page.goto(path);
      await accessible(page, `${path} ${locale}`);
    }
    assert.deepEqual(page.complaints, []);
  });
}

test("nothing is wider than a small telephone", async () => {
  const page = await signedIn(chromium, "admin", { viewport: { width: 360, height: 740 } });
  for (const path of [PAGE, `${PAGE}?run=${one}`]) {
    await page.goto(path);
    await fits(page, path);
  }
});

test("what went wrong is said, and put right", async () => {
  const page = await signedIn(chromium, "admin");
  await page.goto(`${PAGE}?run=${one}`);
  const row = page.locator("tbody tr", { hasText: "no address" }).first();
  const piece = await row.locator("td").first().innerText();
  await row.getByLabel(`Other address: Piece ${piece}`).fill("ada@example.com");
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
