// Lighthouse on the portal, as a phone on a slow net: accessibility 100, performance at least 95. The figures are printed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import { api, base, browser, signedIn } from "./support.mjs";

/** Tries for a page: a busy machine makes one slow, not its page. */
const TRIES = 3;

async function cookies(user) {
  const chromium = await browser();
  const page = await signedIn(chromium, user);
  const all = await page.context().cookies();
  await chromium.close();
  return all.map(({ name, value }) => `${name}=${value}`).join("; ");
}

test("the portal's pages reach the scores that are asked for", async (t) => {
  const ask = await api("ava");
  const { documents } = await ask("GET", "/api/v1/documents?limit=1");
  const cookie = await cookies("ava");
  const pages = [["/", ""], ["/enrol", ""], ["/my", cookie], [`/my/documents/${documents[0].id}`, cookie],
    [`/my/documents/${documents[0].id}/compare`, cookie], ["/my/questions", cookie], ["/my/settings", cookie], ["/my/activity", cookie]];
  const chrome = await launch({
    chromePath: process.env.CHROMIUM ?? "/usr/bin/chromium", chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu"],
  });
  const wrong = [];
  try {
    for (const [path, Cookie] of pages) {
      const best = { accessibility: 0, performance: 0 };
      for (let run = 0; run < TRIES && (best.performance < 0.95 || best.accessibility < 1); run += 1) {
        const { lhr } = await lighthouse(base + path, {
          port: chrome.port, output: "json", logLevel: "error", onlyCategories: ["accessibility", "performance"],
          extraHeaders: Cookie ? { Cookie } : {}, disableStorageReset: true,
        });
        assert.equal(new URL(lhr.finalDisplayedUrl).pathname, path, "not sent elsewhere");
        for (const name of Object.keys(best)) best[name] = Math.max(best[name], lhr.categories[name].score ?? 0);
        best.paint = lhr.audits["largest-contentful-paint"].displayValue;
        best.bytes = lhr.audits["total-byte-weight"].displayValue;
      }
      const shown = path.replace(/\d+-\d+/, "ID");
      t.diagnostic(`${shown}: accessibility ${best.accessibility * 100}, performance ${Math.round(best.performance * 100)}, largest paint ${best.paint}, ${best.bytes}`);
      if (best.accessibility < 1 || best.performance < 0.95) wrong.push(shown);
    }
  } finally {
    chrome.kill();
  }
  assert.deepEqual(wrong, []);
});
