// Every page that somebody may see: WCAG 2.2 AA finds nothing and nothing is too wide, in both languages, light and dark, at
// 1280 and at 360 px, for each role. A page that is in the route table and not here fails the last test.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { api, arrives, base, becomes, browser, customers, distributions, english, fits, password, plainly, signedIn, stock } from "./support.mjs";

const ACCOUNT = "410000-1000-0";
const LOOKS = [["light", 1280], ["light", 360], ["dark", 360], ["dark", 1280]];
/** Routes that answer with something else than a page of their own. */
const NO_PAGES = ["/agent/results", "/agent/documents/{id}/find", "/agent/pop", "/my/period/zip", "/admin/audit/export", "/language", "/theme",
  "/oidc/start", "/oidc/callback", "/static/{version}/{name}", "/live", "/health", "/metrics"];

let chromium;
let pages;
before(async () => {
  chromium = await browser();
  await customers();
  const [admin, ann, ava, zhou] = [await api("admin"), await api("ann"), await api("ava"), await api("zhou")];
  const run = await distributions(admin);
  const arrival = await arrives(admin, "axe.txt", stock("axe"), ["unidentified"]);
  // A load with pages that are in no document, and a warning.
  const strange = await arrives(admin, "axe-aside.txt", stock("aside"), ["unidentified"]);
  await admin("POST", `/api/v1/intake/${strange.id}/assign`, { definition: "overdraft-notice" });
  const aside = (await becomes(admin, "axe-aside.txt", ["loaded"])).load;
  const account = await ann("GET", `/api/v1/accounts/${ACCOUNT}`);
  const bill = (await ann("GET", `/api/v1/documents?account=${ACCOUNT}&limit=1`)).documents[0].id;
  const composed = (await ann("GET", "/api/v1/documents?definition=telecom-bill-afp&limit=1")).documents[0].id;
  const chinese = (await zhou("GET", "/api/v1/documents?limit=1")).documents[0].id;
  const request = await ann("POST", "/api/v1/requests", { kind: "question", account: ACCOUNT, text: "What is this fee?" });
  const question = await ava("POST", "/api/v1/requests", { document: bill, text: "Is this right?" });
  const link = await ann("POST", `/api/v1/documents/${bill}/links`, { expires_in_s: 3600, uses: 3 });
  const load = (await admin("GET", "/api/v1/loads?limit=1")).loads[0].load;
  const content = (id) => `/api/v1/documents/${id}/content?format=html`;
  const token = new URL(link.url ?? link.path, base).pathname;

  const console_ = ["/agent", "/agent?q=barnes%202024", "/agent/requests", `/agent/documents/${bill}`, `/agent/customers/${account.customer}`];
  const arrivals = [
    "/admin/arrivals", "/admin/arrivals?state=unidentified", "/admin/arrivals?q=nothing-like-this", `/admin/arrivals/${arrival.id}`,
    "/admin/rules", "/admin/loads", `/admin/loads/${load}`, `/admin/loads/${aside}`,
  ];
  const outside = {
    "/": ["/", "/?next=%2Fagent", refused, "/sign-in/code", "/nowhere"],
    "/enrol": ["/enrol", "/enrol?report=pin", "/enrol?report=great-lakes-statement", unconfirmed],
    "/d": [token, "/d/none"],
  };
  pages = {
    nobody: Object.values(outside).flat(),
    ann: [
      ...console_, "/agent?q=nothing-like-this", "/agent?q=(broken", "/agent?q=a", `/agent/documents/${bill}?tab=html`, `/agent/documents/${bill}?tab=text`,
      `/agent/documents/${bill}?find=balance`, `/agent/documents/${bill}/compare`, `/agent/documents/${composed}`, `/agent/documents/${chinese}`,
      `/agent/accounts/${ACCOUNT}`, `/agent/requests?state=closed`, `/agent/requests/${request.id}`, "/agent/documents/9999-1",
      "/agent/pop?ani=%2B1%20937%20555%200177&call=axe", "/agent/pop?ani=%2B44%2020%207946%200000&call=axe-none", "/account", "/account?done=password",
      "/admin", "/agent?q=%00", content(bill), content(composed), content(chinese),
    ],
    ava: [
      "/my", "/my?q=nothing-like-this", "/my?q=(broken", `/my/documents/${bill}`, `/my/documents/${bill}?tab=pages`, `/my/documents/${bill}?find=balance`,
      `/my/documents/${bill}/compare`, `/my/documents/${bill}/compare?with=last-year`, `/my/documents/${bill}/ask`, "/my/questions",
      `/my/questions/${question.id}`, "/my/activity", "/my/settings", "/my/consent", "/my/consent?wrong=1&needed=1", "/my/period", "/my/period?none=1",
      "/my/documents/9999-1", "/account",
    ],
    zhou: ["/my", `/my/documents/${chinese}`, `/my/documents/${chinese}?tab=pages`, "/my/settings", "/my/questions"],
    admin: [
      "/admin", "/admin?days=365", ...arrivals, "/admin/arrivals?state=failed", `/admin/arrivals/${arrival.id}?definition=overdraft-notice`,
      `/admin/arrivals/${arrival.id}?definition=line-printer`, "/admin/arrivals/999999", "/admin/loads?state=unloaded",
      "/admin/loads?q=nothing-like-this", "/admin/loads/999999", "/admin/definitions", "/admin/definitions/telecom-bill",
      "/admin/definitions/none", "/admin/definition", "/admin/definition?name=bank-statement", "/admin/audit", "/admin/audit?outcome=failed",
      "/admin/audit?document=wrong", "/admin/people", "/admin/distribution", `/admin/distribution?run=${run}`,
      `/admin/distribution?run=${run}&from=30`, `/admin/distribution?run=${run}&piece=0`, "/account", "/nowhere",
    ],
    "senior-agent": [...console_, "/account"],
    supervisor: [...console_, "/admin", "/admin/people", "/admin/audit"],
    auditor: ["/admin", "/admin/people", "/admin/audit", "/admin/loads", `/admin/loads/${load}`, "/admin/definitions", "/admin/distribution", "/agent"],
    operator: ["/admin", ...arrivals, "/admin/definitions", "/admin/definition", "/admin/distribution", `/admin/distribution?run=${run}`],
    approver: ["/admin", "/admin/loads", "/admin/distribution", `/admin/distribution?run=${run}`, `/admin/distribution?run=${run}&piece=0`],
  };
});
after(() => chromium.close());

/** A sign-in that fails. */
async function refused(page) {
  await page.goto(base);
  await page.fill("input[name=name]", "ann");
  await page.fill("input[name=password]", "wrong");
  await page.keyboard.press("Enter");
  await page.locator(".notice--bad").waitFor();
}

/** An enrolment whose facts do not fit. */
async function unconfirmed(page) {
  await page.goto(`${base}/enrol?report=pin`);
  await page.evaluate(() => { for (const field of document.querySelectorAll("main input:not([type=hidden])")) field.value = "aaaaaaaaaaaa"; });
  await page.locator("main form button").last().click();
  await page.locator(".notice--bad").waitFor();
}

async function look(page, path, locale) {
  const name = `${typeof path === "string" ? path : path.name} ${locale}`;
  await page.setViewportSize({ width: 1280, height: 800 });
  // Renditions come without the right to run script, which axe needs: they are looked at as they are, on an empty page.
  const archived = typeof path === "string" && path.includes("/content?");
  if (archived) {
    await page.goto("about:blank");
    await page.setContent(await (await page.request.get(base + path)).text());
  } else if (typeof path === "string") await page.goto(base + path);
  else await path(page);
  if (!archived) assert.equal(await page.getAttribute("html", "lang"), locale.startsWith("zh") ? "zh-CN" : "en", name);
  await page.evaluate(() => document.querySelectorAll("main details, body > details").forEach((one) => { one.open = true; }));
  for (const [colorScheme, width] of LOOKS) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: 800 });
    await page.waitForTimeout(100);
    await plainly(page, `${name} ${colorScheme} ${width} px`, colorScheme === "dark");
    if (!archived) await fits(page, `${name} ${width} px`);
  }
}

const ROLES = ["nobody", "ann", "ava", "zhou", "admin", "senior-agent", "supervisor", "auditor", "operator", "approver"];
for (const who of ROLES) {
  for (const locale of ["en-US", "zh-CN"]) {
    test(`every page for ${who}, ${locale}: accessible and not too wide, light and dark, 1280 and 360 px`, { timeout: 1_800_000 }, async (t) => {
      if (!["nobody", "ann", "ava", "zhou", "admin"].includes(who)) await password(chromium, who);
      const page = await signedIn(chromium, who === "nobody" ? null : who, { locale });
      if (who !== "nobody") await page.goto(`${base}/language?to=${locale.slice(0, 2) === "zh" ? "zh-CN" : "en"}&back=/account`);
      const wrong = [];
      for (const path of pages[who]) {
        // All that is wrong is told, not only the first.
        await look(page, path, locale).catch((error) => wrong.push(error.message));
      }
      t.diagnostic(`${pages[who].length} pages`);
      assert.deepEqual(wrong, []);
      assert.deepEqual(page.complaints, []);
    });
  }
}

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
  await page.locator("[data-key-send]").click();
  assert.ok(await page.locator("#send form[method=post]").isVisible(), "a copy can be sent");
});

/** What people called something, or asked: it stays as it is. */
const TYPED = ["Administrator", "held", "retention is over", "What is this fee?", "What is the first charge on this page for?", "What is the first line?"];

test("no Chinese page has English of the program left", { timeout: 600_000 }, async (t) => {
  const wrong = [];
  for (const who of ["nobody", "ann", "ava", "zhou", "admin"]) {
    const page = await signedIn(chromium, who === "nobody" ? null : who, { locale: "zh-CN" });
    if (who !== "nobody") await page.goto(`${base}/language?to=zh-CN&back=/account`);
    for (const path of pages[who].filter((path) => typeof path !== "string" || !path.includes("/content?"))) {
      if (typeof path === "string") await page.goto(base + path);
      else await path(page);
      await page.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
      wrong.push(...(await english(page, TYPED)).map((text) => `${who} ${typeof path === "string" ? path : path.name}: ${text}`));
    }
    await page.context().close();
  }
  t.diagnostic(`${wrong.length} texts`);
  assert.deepEqual(wrong, []);
});

test("English left on a Chinese page would be found", async () => {
  const page = await signedIn(chromium, "ann");
  await page.goto(`${base}/agent`);
  await page.evaluate(() => { document.documentElement.lang = "zh-CN"; });
  assert.ok((await english(page)).length > 10, "all words of an English page");
  await page.setContent('<html lang="zh-CN"><p>这里 there is no such thing</p><p lang="en">there is no such thing</p><p>没有</p></html>');
  assert.equal((await english(page)).length, 1);
});

test("every page of the route table was looked at", () => {
  const table = readFileSync(process.env.GREENBAR_ROUTES, "utf8");
  const routes = [...table.matchAll(/^\s+GET\s+"([^"]+)"/gm)].map(([, path]) => path).filter((path) => !path.startsWith("/api") && !NO_PAGES.includes(path));
  assert.ok(routes.length > 30, `${routes.length} routes`);
  const seen = Object.values(pages).flat().filter((path) => typeof path === "string").map((path) => path.split("?")[0]);
  // Calls are reached by `/agent/pop`.
  const missing = routes.filter((route) => route !== "/agent/calls/{id}" && !seen.some((path) => new RegExp(`^${route.replace(/\{[^}]+\}/g, "[^/]+")}$`).test(path)));
  assert.deepEqual(missing, []);
});
