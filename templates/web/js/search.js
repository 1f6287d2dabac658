// Results as one types: the part of the page below the search box is fetched again and again; the address follows.
import * as grid from "./grid.js";
import { get } from "./ui.js";

const place = document.querySelector("[data-results]");
const box = document.querySelector("[data-search]");
const form = document.querySelector("[data-search-form]");
// An answer that is late is shown as awaited; before that, drawing the list paler would only cost time.
const LATE_MS = 300;
// What is not yet a query (an open quote, a `$` alone) is told when nothing more is typed; until then the list stays.
const PAUSE_MS = 1200;
let running = null;
let asking = false;
let again = false;
let late = 0;
let pause = 0;

const part = (address) => address.replace(/^\/agent(?=\?|$)/, "/agent/results");
const here = () => location.pathname + location.search;

async function show(address, push) {
  clearTimeout(pause);
  running?.abort();
  running = new AbortController();
  clearTimeout(late);
  late = setTimeout(() => place.setAttribute("aria-busy", "true"), LATE_MS);
  const response = await get(part(address), running.signal).catch(() => undefined);
  if (response === null) return;
  if (!response) {
    // The network failed: the plain page says more.
    location.assign(address);
    return;
  }
  const html = await response.text().catch(() => null);
  if (html === null) return;
  if (response.status >= 500) {
    location.assign(address);
    return;
  }
  clearTimeout(late);
  place.removeAttribute("aria-busy");
  clearTimeout(pause);
  if (response.status === 400 && !push) pause = setTimeout(() => put(html, address, push), PAUSE_MS);
  else put(html, address, push);
}

function put(html, address, push) {
  place.innerHTML = html;
  if (push) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  sessionStorage.setItem("greenbar.list", here());
  document.title = document.title.replace(/^.*(?= · )/, box.value.trim() || document.querySelector("h1").textContent);
  grid.take(place);
  narrow();
}

function typed() {
  const params = new URLSearchParams(location.search);
  params.delete("cursor");
  if (box.value.trim()) params.set("q", box.value);
  else params.delete("q");
  const query = params.toString();
  return query ? `/agent?${query}` : "/agent";
}

// The first letter asks at once; what is typed while an answer is awaited asks once more, when that is there.
async function follow() {
  again = true;
  if (asking) return;
  asking = true;
  try {
    while (again) {
      again = false;
      await show(typed(), false);
    }
  } finally {
    asking = false;
  }
}

// On small screens the filters begin folded.
function narrow() {
  if (matchMedia("(max-width: 60rem)").matches) place.querySelector("[data-fold]")?.removeAttribute("open");
}

if (place && box) {
  narrow();
  sessionStorage.setItem("greenbar.list", here());
  box.addEventListener("input", follow);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    again = false;
    show(typed(), true).then(() => grid.enter());
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    grid.enter();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-live]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const address = link.getAttribute("href");
    box.value = new URL(link.href).searchParams.get("q") ?? "";
    show(address, true).then(() => { if (link.rel === "next") { scrollTo(0, 0); grid.enter(); } });
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-live-form]")) return;
    event.preventDefault();
    show(`/agent?${new URLSearchParams(new FormData(event.target))}`, true);
  });
  addEventListener("popstate", () => {
    box.value = new URLSearchParams(location.search).get("q") ?? "";
    show(here(), false);
  });
}
