// Bad input: each a clear page in the reader's language, nothing lost.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api, base, browser, customers, fits, plainly, signedIn } from "./support.mjs";

const BOTH = ["en-US", "zh-CN"];
let chromium;
before(async () => {
  chromium = await browser();
  await customers();
});
after(() => chromium.close());

/** Somebody whose pages are in this language. */
async function reader(user, locale, more = {}) {
  const page = await signedIn(chromium, user, { locale, ...more });
  if (user) await page.goto(`${base}/language?to=${locale === "zh-CN" ? "zh-CN" : "en"}&back=/account`);
  return page;
}

/** The page says what is wrong in its language, and nothing in the other one. */
async function clear(page, locale, english, chinese) {
  const said = await page.locator("main").innerText();
  assert.match(said, locale === "zh-CN" ? chinese : english);
  // The code of a problem and what is marked as English may stay.
  const told = await page.evaluate(() => {
    const main = document.querySelector("main").cloneNode(true);
    main.querySelectorAll("[lang=en], .label, .code").forEach((one) => one.remove());
    return main.textContent;
  });
  if (locale === "zh-CN") assert.doesNotMatch(told, /\b(the|is|not|please|wrong)\b/i, "no English sentence is left");
  assert.equal(await page.getAttribute("html", "lang"), locale === "zh-CN" ? "zh-CN" : "en");
  await plainly(page, `${page.url()} ${locale}`);
  await fits(page, page.url());
}

for (const locale of BOTH) {
  test(`a link that expired, is used up, or never was: ${locale}`, async () => {
    const ask = await api("ann");
    const bill = (await ask("GET", "/api/v1/documents?account=410000-1000-0&limit=1")).documents[0].id;
    const make = async (body) => {
      const made = await ask("POST", `/api/v1/documents/${bill}/links`, body);
      return new URL(made.url ?? made.path, base).pathname;
    };
    const expired = await make({ expires_in_s: 1, uses: 3 });
    const once = await make({ expires_in_s: 600, uses: 1 });
    const page = await reader(null, locale);
    const good = await page.goto(base + once);
    assert.equal(good.status(), 200);
    assert.equal((await page.request.post(base + once)).status(), 200);
    await page.waitForTimeout(2100);
    for (const path of [expired, once, "/d/0000000000000000000000000000000000000000000"]) {
      const answer = await page.goto(base + path);
      assert.equal(answer.status(), 410, path);
      await clear(page, locale, /not valid any more[^]*Ask for a new one/, /链接已失效[^]*重新申请/);
    }
  });

  test(`another's document and one that is not there are the same clear page: ${locale}`, async () => {
    const page = await reader("zhou", locale);
    const ask = await api("ann");
    const other = (await ask("GET", "/api/v1/documents?account=410000-1000-0&limit=1")).documents[0].id;
    const texts = [];
    for (const path of [`/my/documents/${other}`, "/my/documents/9999-1", `/my/documents/${other}/compare`, `/my/documents/${other}/ask`, "/my/documents/x"]) {
      const answer = await page.goto(base + path);
      assert.equal(answer.status(), 404, path);
      await clear(page, locale, /There is nothing here/, /这里没有内容/);
      texts.push(await page.locator("main").innerText());
    }
    assert.equal(new Set(texts).size, 1);
  });

  test(`a broken query says where, and one of 500 characters is answered: ${locale}`, async () => {
    for (const [user, path] of [["ann", "/agent"], ["ava", "/my"]]) {
      const page = await reader(user, locale);
      const box = path === "/my" ? "main input[name=q]" : "#q";
      await page.goto(`${base}${path}?q=fee%20(late`);
      assert.equal(await page.locator(".broken mark").textContent(), "(");
      assert.equal(await page.inputValue(box), "fee (late", "what was typed stays");
      await clear(page, locale, /parenthesis is not closed/i, /括号没有闭合/);
      const long = "12 34.50 march ".repeat(34).slice(0, 500).trim();
      const answer = await page.goto(`${base}${path}?q=${encodeURIComponent(long)}`);
      assert.ok([200, 400].includes(answer.status()), String(answer.status()));
      assert.equal((await page.inputValue(box)).trim(), long, "what was typed stays");
      await fits(page, "a long query");
      const more = await page.goto(`${base}${path}?q=${"x".repeat(2100)}`);
      assert.equal(more.status(), 400);
      assert.equal(await page.inputValue(box), "x".repeat(2100), "what was typed stays");
      await clear(page, locale, /has 2100 characters, at most 2000/, /查询过长/);
      await fits(page, "a query that is too long");
      const longer = await page.goto(`${base}${path}?q=${"x".repeat(9000)}`);
      assert.equal(longer.status(), 414);
      await clear(page, locale, /address is too long/i, /地址过长/);
    }
  });

  test(`parameters that are not allowed are told: ${locale}`, async () => {
    const page = await reader("ann", locale);
    for (const [path, english, chinese] of [
      ["/agent?colour=red", /There is no parameter/, /没有参数/],
      ["/agent?sort=x", /sort is one of/, /sort 只能是下列之一/],
      ["/agent?from=2024-13-01", /from is a day such as/, /from 应为日期/],
      ["/agent?cursor=x", /cursor does not belong/, /翻页标记/],
      ["/agent?q=a&q=b", /q is given twice/, /q 给出了两次/],
    ]) {
      const answer = await page.goto(base + path);
      assert.equal(answer.status(), 400, path);
      await clear(page, locale, english, chinese);
    }
  });

  test(`a document whose format cannot be shown can be had as it came: ${locale}`, async () => {
    const page = await reader("ann", locale);
    for (const [id, bytes] of await whole()) {
      for (const tab of ["pages", "html", "pdf"]) {
        await page.goto(`${base}/agent/documents/${id}?tab=${tab}`);
        await clear(page, locale, /cannot be shown here/, /无法在此显示/);
      }
      assert.match(await page.locator(".cannot").innerText(), bytes[0] === 0x25 ? /PostScript/ : /unknown format|未知格式/);
      const download = page.waitForEvent("download");
      await page.locator(".cannot a").click();
      const chunks = [];
      for await (const chunk of await (await download).createReadStream()) chunks.push(chunk);
      assert.ok(Buffer.concat(chunks).equals(bytes), "the bytes as they came");
      await page.goto(`${base}/agent/documents/${id}?tab=text`);
      assert.equal(await page.locator(".cannot").count(), 0, "its text can be looked at");
    }
  });

  test(`a masked document hides its values, offers no captured bytes, and says why: ${locale}`, async () => {
    const ask = await api("ann");
    const masked = (await ask("GET", "/api/v1/documents?definition=bank-statement&limit=1")).documents[0].id;
    const page = await reader("ann", locale);
    await page.goto(`${base}/agent/documents/${masked}`);
    assert.match(await page.locator(".reader").innerText(), locale === "zh-CN" ? /隐藏|遮盖/ : /masked/i);
    assert.equal(await page.locator("a[href*='format=original']").count(), 0);
    const answer = await page.goto(`${base}/api/v1/documents/${masked}/content?format=original&download=1`);
    assert.equal(answer.status(), 403);
    await clear(page, locale, /masked for you[^]*another format/i, /隐藏[^]*其他格式/);
    const program = await page.request.get(`${base}/api/v1/documents/${masked}/content?format=original`);
    assert.match(program.headers()["content-type"], /problem\+json/, "programs get problem JSON");
  });

  test(`a form that is sent twice counts once: ${locale}`, async () => {
    const page = await reader("ann", locale);
    await page.goto(`${base}/agent/accounts/410000-1000-0`);
    const places = await page.evaluate(async (text) => {
      const form = document.querySelector("form[action='/agent/notes']");
      form.elements.text.value = text;
      const send = () => fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      return [(await send()).url, (await send()).url];
    }, `Written once. ${locale} ${process.pid}`);
    assert.equal(places[0], places[1]);
    await page.reload();
    assert.equal(await page.locator(".entry__text", { hasText: `Written once. ${locale} ${process.pid}` }).count(), 1);
    const ava = await reader("ava", locale);
    await ava.goto(`${base}/my`);
    await ava.locator(".bill__main").first().click();
    await ava.locator(".glance__acts a[href$='/ask']").click();
    const text = `Asked once? ${locale} ${process.pid}`;
    await ava.fill("textarea[name=text]", text);
    await ava.locator("form.card button").dblclick();
    await ava.waitForURL(/\/my\/questions\//);
    await ava.goto(`${base}/my/questions`);
    const asked = await api("ann").then((ask) => ask("GET", "/api/v1/requests?limit=200"));
    assert.equal(asked.items.filter((item) => JSON.stringify(item).includes(text)).length, 1, "one question");
  });

  test(`the back button after signing out shows nothing: ${locale}`, async () => {
    for (const [user, path, rows] of [["ann", "/agent?q=barnes", "[data-row]"], ["ava", "/my", ".bill"]]) {
      const page = await reader(user, locale);
      await page.goto(base + path);
      assert.ok((await page.locator(rows).count()) > 0);
      await page.locator(".menu:has(form[action='/sign-out']) summary").click();
      await page.locator("form[action='/sign-out'] button").click();
      await page.waitForURL(`${base}/`);
      await page.goBack();
      await page.locator("input[name=password]").waitFor();
      assert.equal(await page.locator(rows).count(), 0);
      // What was asked for comes again after signing in.
      assert.match(page.url(), /next=/);
      await clear(page, locale, /Sign in/, /登录/);
    }
  });

  test(`two customers with one telephone number give a chooser that tells little: ${locale}`, async () => {
    const page = await reader("ann", locale);
    await page.goto(`${base}/agent/pop?ani=%2B1%20937%20555%200177&call=twins-${locale}`);
    assert.equal(await page.locator(".candidate").count(), 2);
    const text = await page.locator("main").innerText();
    assert.doesNotMatch(text, /Barnes|Farrow|410000-1000-0|example\.com/);
    await plainly(page, "the chooser");
    await fits(page, "the chooser");
    const call = page.url();
    // The same call again is the same page.
    await page.goto(`${base}/agent/pop?ani=%2B1%20937%20555%200177&call=twins-${locale}`);
    assert.equal(page.url(), call);
  });

  test(`a page that does not exist of a document that does is told: ${locale}`, async () => {
    const page = await reader("ann", locale);
    await page.goto(`${base}/agent/documents/7-1?page=999`);
    assert.equal(await page.inputValue("[data-page-box]"), "1");
    const answer = await page.request.get(`${base}/api/v1/documents/7-1/content?format=png&page=999`);
    assert.equal(answer.status(), 400);
  });
}

/** Documents that came as they are, which no decoder draws: PostScript, and bytes of no known format. */
async function whole() {
  const ask = await api("admin");
  const noise = Buffer.from(Array.from({ length: 4000 }, (_, at) => (at * 197) % 256));
  const streams = { "sealed.ps": Buffer.from("%!PS-Adobe-3.0\n%%Pages: 1\n(SEALED MATTER) show showpage\n"), "sealed.bin": Buffer.concat([Buffer.from("SEALED MATTER "), noise]) };
  const found = [];
  for (const [name, bytes] of Object.entries(streams)) {
    const known = (await ask("GET", `/api/v1/loads?q=${name}&limit=1`)).loads[0]?.load;
    const answer = known ? null : await ask("POST", `/api/v1/loads?file=${name}`, bytes);
    found.push([`${known ?? (await loaded(ask, answer.id))}-1`, bytes]);
  }
  return found;
}

/** The number of a load, when it is done. */
async function loaded(ask, id) {
  for (let step = 0; step < 300; step += 1) {
    const told = await ask("GET", `/api/v1/loads/${id}`).catch(() => ({}));
    if (told.state === "loaded" || told.state === "done") return told.load;
    await new Promise((done) => { setTimeout(done, 200); });
  }
  return assert.fail(`load ${id} was never done`);
}

test("10,000 hits are paged, and a document that was disposed of says so to staff, in both languages", async () => {
  const ask = await api("admin");
  const statement = (n) => [
    `1GREAT LAKES MUTUAL BANK${"".padEnd(40)}STATEMENT OF ACCOUNT${"".padEnd(16)}PAGE   1 OF 1`,
    ` ACCOUNT NO  ${`9${String(n).padStart(5, "0")}-0000-0`.padEnd(20)} STATEMENT DATE 03/28/1995`,
    `-    Tenthousand Person${n}`, "     1 Birch St", "     Dayton OH 45402", `0${"CLOSING BALANCE".padEnd(69)}${"100.00".padStart(16)}`,
  ].join("\n");
  const stream = Array.from({ length: 10_050 }, (_, at) => statement(at)).join("\n") + "\n";
  const answer = await ask("POST", "/api/v1/loads?definition=great-lakes-statement&file=many.asa", Buffer.from(stream));
  const load = await loaded(ask, answer.load ?? answer.id);
  for (const locale of BOTH) {
    const page = await reader("ann", locale);
    await page.goto(`${base}/agent?q=tenthousand`);
    assert.match(await page.locator(".hits__total").textContent(), /10,050/);
    const seen = new Set();
    for (let step = 0; step < 4; step += 1) {
      for (const id of await page.locator("[data-row]").evaluateAll((rows) => rows.map((row) => row.dataset.id))) {
        assert.ok(!seen.has(id), "no row twice");
        seen.add(id);
      }
      const before = await page.locator("[data-row]").first().getAttribute("data-id");
      await page.locator("a[rel=next]").click();
      await page.waitForFunction((id) => document.querySelector("[data-row]")?.dataset.id !== id, before);
    }
    assert.equal(seen.size, 100);
    await plainly(page, "many hits");
  }
  const open = await reader("ann", "en-US");
  await open.goto(`${base}/agent/documents/${load}-7`);
  await ask("POST", `/api/v1/loads/${load}/unload`, { reason: "retention is over" });
  for (const locale of BOTH) {
    const page = await reader("ann", locale);
    const gone = await page.goto(`${base}/agent/documents/${load}-7`);
    assert.equal(gone.status(), 410);
    const said = await page.locator("main").innerText();
    assert.match(said, locale === "zh-CN" ? /已移出归档/ : /left the archive/);
    assert.match(said, /retention is over/);
    await plainly(page, "disposed");
    const customer = await reader("ava", locale);
    const nothing = await customer.goto(`${base}/my/documents/${load}-7`);
    assert.equal(nothing.status(), 404, "a customer hears that there is nothing");
    await clear(customer, locale, /not kept any more/, /不再保存/);
    // It was just open: its next page is told, nothing hangs.
    await page.goto(`${base}/agent?q=tenthousand`);
    assert.equal(await page.locator("[data-row]").count(), 0);
  }
  await open.reload();
  assert.match(await open.locator("main").innerText(), /left the archive/);
});
