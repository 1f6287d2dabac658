// A browser without a window: follows redirects, keeps cookies, fills in the provider's forms.
// usage: node browser.mjs BASE_URL NAME EXPECTED [replay]   (a path of greenbar where it ends, or "refused")
// With `replay` the answer of the provider is used again afterwards: as it is, and its code in a new sign-in. Neither opens anything.
const [base, name, expected, replay] = process.argv.slice(2);
const jars = new Map();

async function ask(url, options = {}) {
  const { origin } = new URL(url);
  const jar = jars.get(origin) ?? new Map();
  jars.set(origin, jar);
  const cookie = [...jar].map(([key, value]) => `${key}=${value}`).join('; ');
  const answer = await fetch(url, { ...options, redirect: 'manual', headers: { ...options.headers, cookie } });
  for (const set of answer.headers.getSetCookie()) {
    const [pair] = set.split(';');
    const at = pair.indexOf('=');
    if (/expires=Thu, 01 Jan 1970|max-age=0/i.test(set)) jar.delete(pair.slice(0, at));
    else jar.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return answer;
}

let url = `${base}/oidc/start?next=%2Fagent`;
let answer = await ask(url);
let callback = '';

async function again() {
  const same = await ask(callback);
  const begun = await ask(`${base}/oidc/start?next=%2Fagent`);
  const fresh = new URL(callback);
  fresh.searchParams.set('state', new URL(begun.headers.get('location')).searchParams.get('state'));
  const code = await ask(fresh.href);
  console.log(`${name}: used again ${same.status}, its code in a new sign-in ${code.status}`);
  return same.status === 401 && code.status === 401;
}
for (let step = 0; step < 20; step += 1) {
  const place = answer.headers.get('location');
  if (place) {
    url = new URL(place, url).href;
    if (url.startsWith(`${base}/oidc/callback`)) callback = url;
    answer = await ask(url);
    continue;
  }
  const page = await answer.text();
  const form = page.match(/action="([^"]+)"[^>]*method="post"|method="post"[^>]*action="([^"]+)"/i);
  if (url.startsWith(base) || !form) {
    const ended = `${answer.status} ${new URL(url).pathname}`;
    const fine = expected === 'refused' ? answer.status === 401 : answer.status === 200 && url === base + expected;
    console.log(`${name}: ${ended}`);
    process.exit(fine && (!replay || await again()) ? 0 : 1);
  }
  const fields = new URLSearchParams();
  for (const input of page.matchAll(/<input[^>]*type="hidden"[^>]*>/gi)) {
    const field = input[0].match(/name="([^"]*)"/)?.[1];
    if (field) fields.set(field, input[0].match(/value="([^"]*)"/)?.[1] ?? '');
  }
  if (page.includes('name="login"')) {
    fields.set('login', name);
    fields.set('password', 'any');
  }
  url = new URL((form[1] ?? form[2]).replaceAll('&amp;', '&'), url).href;
  answer = await ask(url, { method: 'POST', body: fields });
}
console.log('too many steps');
process.exit(1);
