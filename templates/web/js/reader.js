// The document reader: all pages under each other, drawn when they come near, at any zoom, with find and thumbnails.
import { bind } from "./keys.js";
import { fetchSheet, showSheet } from "./sheet.js";
import { get, toast } from "./ui.js";

const reader = document.querySelector("[data-reader]");
const stage = document.querySelector("[data-stage]");
const { content, count: counted, id } = reader.dataset;
const count = Number(counted);
/** Drawings kept in the page; those farther away are dropped and drawn again when needed. */
const KEPT = 30;
const MOST = 1.75;
const STEPS = [0.25, 0.33, 0.5, 0.67, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 6];
const CSS_PX_PER_POINT = 4 / 3;

const leaves = [];
let zoom = "width";
let turns = 0;
let page = Number(reader.dataset.page);
let words = "";
let scale = 1;
let jumping = false;

const address = (number) => {
  const mark = words ? `&highlight=${encodeURIComponent(words)}` : "";
  return `${content}?format=svg&page=${number}${mark}`;
};

// ---- Pages ----

function build() {
  const first = stage.firstElementChild;
  for (let number = 1; number <= count; number += 1) {
    const element = number === page ? first : document.createElement("div");
    element.className = "leaf";
    element.dataset.leaf = number;
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", `${reader.dataset.sayPage} ${number}`);
    leaves[number] = { number, element, inner: null, root: null, width: 0, height: 0, state: "", abort: null };
    if (number < page) first.before(element);
    else if (number > page) stage.append(element);
  }
}

function size(leaf) {
  const known = leaf.width ? leaf : leaves.find((other) => other?.width) ?? { width: 612, height: 792 };
  return turns % 2 ? [known.height, known.width] : [known.width, known.height];
}

function lay() {
  const [wide, high] = size(leaves[page]);
  const room = [stage.clientWidth - 32, stage.clientHeight - 32];
  const natural = [wide * CSS_PX_PER_POINT, high * CSS_PX_PER_POINT];
  if (zoom === "width") scale = Math.min(MOST, room[0] / natural[0]);
  else if (zoom === "page") scale = Math.min(room[0] / natural[0], room[1] / natural[1]);
  else scale = zoom;
  scale = Math.max(0.1, scale);
  for (const leaf of leaves) if (leaf) fit(leaf);
  const now = reader.querySelector("[data-zoom-now]");
  if (now) now.value = `${Math.round(scale * 100)} %`;
  for (const button of reader.querySelectorAll("[data-fit]")) button.setAttribute("aria-pressed", String(button.dataset.fit === zoom));
}

function fit(leaf) {
  const [wide, high] = size(leaf).map((side) => Math.round(side * CSS_PX_PER_POINT * scale));
  leaf.element.style.width = `${wide}px`;
  leaf.element.style.height = `${high}px`;
  if (!leaf.inner) return;
  const [w, h] = turns % 2 ? [high, wide] : [wide, high];
  const move = ["", `translate(${wide}px, 0)`, `translate(${wide}px, ${high}px)`, `translate(0, ${high}px)`][turns];
  Object.assign(leaf.inner.style, { width: `${w}px`, height: `${h}px`, transformOrigin: "0 0", transform: `${move} rotate(${turns * 90}deg)` });
}

async function draw(leaf) {
  const wanted = address(leaf.number);
  if (leaf.state === wanted) return;
  leaf.state = wanted;
  leaf.abort?.abort();
  leaf.abort = new AbortController();
  try {
    const sheet = await fetchSheet(wanted, leaf.abort.signal);
    if (!sheet || leaf.state !== wanted) return;
    const changed = leaf.width !== sheet.width || leaf.height !== sheet.height;
    [leaf.width, leaf.height] = [sheet.width, sheet.height];
    if (!leaf.inner) {
      leaf.inner = document.createElement("div");
      leaf.element.replaceChildren(leaf.inner);
    }
    leaf.root = showSheet(leaf.inner, sheet);
    if (changed) lay();
    else fit(leaf);
    mark(leaf);
    annotate(leaf);
  } catch {
    leaf.state = "failed";
    failed(leaf);
  }
}

// A page that cannot be drawn: the document can still be had as it came.
function failed(leaf) {
  const box = document.createElement("div");
  box.className = "leaf__bad";
  const text = document.createElement("p");
  text.textContent = reader.dataset.sayFailed;
  const original = document.createElement("a");
  original.className = "btn";
  original.href = `${content}?format=original&download=1`;
  original.textContent = reader.dataset.sayDownload;
  box.append(text, original);
  leaf.inner = null;
  leaf.element.replaceChildren(box);
}

function drop(leaf) {
  leaf.abort?.abort();
  leaf.inner?.remove();
  [leaf.inner, leaf.root, leaf.state] = [null, null, ""];
}

function near() {
  const from = Math.max(1, page - KEPT / 2);
  const to = Math.min(count, page + KEPT / 2);
  for (const leaf of leaves) if (leaf?.state && (leaf.number < from || leaf.number > to)) drop(leaf);
}

function watch() {
  const draws = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) draw(leaves[Number(entry.target.dataset.leaf)]);
  }, { root: stage, rootMargin: "80% 0px" });
  leaves.forEach((leaf) => draws.observe(leaf.element));
  let waiting = false;
  stage.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (!jumping) now(inView());
    });
  });
}

/** The page that covers most of the upper half. */
function inView() {
  const line = stage.scrollTop + stage.clientHeight * 0.35;
  let [low, high] = [1, count];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (leaves[middle].element.offsetTop <= line) low = middle;
    else high = middle - 1;
  }
  return low;
}

function now(number) {
  if (number === page) return;
  page = number;
  const box = reader.querySelector("[data-page-box]");
  if (box && box !== document.activeElement) box.value = number;
  const link = new URL(location);
  link.searchParams.set("page", number);
  history.replaceState(null, "", link);
  thumb();
  near();
}

function go(number, smooth = false) {
  const wanted = Math.max(1, Math.min(count, number || 1));
  jumping = true;
  stage.scrollTo({ top: leaves[wanted].element.offsetTop - 16, behavior: smooth ? "smooth" : "instant" });
  now(wanted);
  setTimeout(() => { jumping = false; }, smooth ? 400 : 60);
}

function setZoom(value) {
  const at = page;
  const leaf = leaves[at].element;
  const into = (stage.scrollTop - leaf.offsetTop) / Math.max(1, leaf.offsetHeight);
  zoom = value;
  lay();
  stage.scrollTop = leaf.offsetTop + into * leaf.offsetHeight;
}

const larger = () => setZoom(STEPS.find((step) => step > scale + 0.01) ?? STEPS.at(-1));
const smaller = () => setZoom(STEPS.findLast((step) => step < scale - 0.01) ?? STEPS[0]);
const rotate = () => { turns = (turns + 1) % 4; lay(); go(page); };

// ---- Thumbnails ----

const list = reader.querySelector("[data-thumb-list]");

// The server sends those around the page; the others are made here and fetched when they come into view.
function thumbs() {
  if (!list) return;
  const model = list.querySelector("a");
  const have = new Map([...list.children].map((link) => [Number(link.dataset.thumb), link]));
  const all = [];
  for (let number = 1; number <= count; number += 1) {
    let link = have.get(number);
    if (!link) {
      link = model.cloneNode(true);
      link.removeAttribute("aria-current");
      link.dataset.thumb = number;
      link.href = link.getAttribute("href").replace(/page=\d+/, `page=${number}`);
      const picture = link.querySelector("img");
      picture.src = picture.getAttribute("src").replace(/page=\d+/, `page=${number}`);
      picture.alt = picture.alt.replace(/\d+/, number);
      link.querySelector("span").textContent = number;
    }
    all.push(link);
  }
  list.replaceChildren(...all);
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(Number(link.dataset.thumb));
  });
  thumb();
}

function thumb() {
  if (!list) return;
  list.querySelector("[aria-current]")?.removeAttribute("aria-current");
  const link = list.querySelector(`[data-thumb="${page}"]`);
  link?.setAttribute("aria-current", "page");
  if (link) {
    const across = list.scrollWidth > list.clientWidth + 4;
    if (across) list.scrollLeft = link.offsetLeft - list.clientWidth / 2;
    else if (link.offsetTop < list.scrollTop || link.offsetTop + link.offsetHeight > list.scrollTop + list.clientHeight) {
      list.scrollTop = link.offsetTop - list.clientHeight / 2;
    }
  }
}

// ---- Find ----

const found = { pages: [], total: 0, at: -1 };
const box = reader.querySelector("[data-find]");
const tally = reader.querySelector("[data-find-count]");

async function find(text, jump = true) {
  words = text.trim();
  Object.assign(found, { pages: [], total: 0, at: -1 });
  if (words) {
    const response = await get(`/agent/documents/${id}/find?find=${encodeURIComponent(words)}`).catch(() => null);
    if (response?.ok) Object.assign(found, await response.json());
  }
  for (const leaf of leaves) if (leaf?.state) draw(leaf);
  list?.querySelectorAll("a").forEach((link) => link.removeAttribute("data-found"));
  for (const [number, hits] of found.pages) list?.querySelector(`[data-thumb="${number}"]`)?.setAttribute("data-found", hits);
  if (!found.total) quoteNow(page, "");
  if (jump && found.total) {
    const before = found.pages.filter(([number]) => number < page).reduce((sum, [, hits]) => sum + hits, 0);
    hit(before % found.total);
  }
  say();
}

function say() {
  if (!tally) return;
  if (!words) tally.value = "";
  else if (!found.total) tally.value = reader.dataset.sayNone;
  else tally.value = `${found.at + 1} / ${found.total}`;
}

/** Page and number on it of a hit. */
function spot(number) {
  let rest = number;
  for (const [onPage, hits] of found.pages) {
    if (rest < hits) return [onPage, rest];
    rest -= hits;
  }
  return [page, 0];
}

function hit(number) {
  if (!found.total) return;
  found.at = (number + found.total) % found.total;
  const [onPage] = spot(found.at);
  say();
  const leaf = leaves[onPage];
  const top = leaf.element.offsetTop;
  const seen = stage.scrollTop <= top + leaf.element.offsetHeight - 40 && stage.scrollTop + stage.clientHeight >= top + 40;
  if (!seen) go(onPage);
  else now(onPage);
  draw(leaf);
  mark(leaf);
}

/** Marks the current hit on a page that is drawn. */
function mark(leaf) {
  if (found.at < 0) return;
  const [onPage, number] = spot(found.at);
  const root = leaves[onPage].root;
  // Another page that is drawn later leaves the current hit alone.
  if (!root || leaf.number !== onPage) return;
  leaves.forEach((other) => other?.root?.querySelector(".now")?.classList.remove("now"));
  const rect = root.querySelectorAll(".mark")[number];
  rect?.classList.add("now");
  if (rect) quoteNow(onPage, lineAt(root, rect));
  const at = rect?.getBoundingClientRect();
  const view = stage.getBoundingClientRect();
  if (at && (at.top < view.top + 30 || at.bottom > view.bottom - 30)) stage.scrollTop += at.top - view.top - view.height / 3;
}

// ---- Notes ----

/** The drawing's text without blanks, and for each character its element and number in it: a line may be several elements. */
function letters(root) {
  let text = "";
  const places = [];
  for (const element of root.querySelectorAll("text")) {
    [...element.textContent].forEach((letter, at) => {
      if (!letter.trim()) return;
      text += letter;
      for (let unit = 0; unit < letter.length; unit += 1) places.push([element, at]);
    });
  }
  return [text, places];
}

/** The text of the line that a mark is on. */
function lineAt(root, mark) {
  const at = mark.getBoundingClientRect();
  const middle = (at.top + at.bottom) / 2;
  const on = [...root.querySelectorAll("text")].filter((text) => {
    const box = text.getBoundingClientRect();
    return box.top <= middle && middle <= box.bottom && box.height < at.height * 2;
  });
  const line = on.map((text) => text.textContent).join(" ").replace(/\s+/g, " ").trim().slice(0, 300);
  return line || words;
}

/** Draws under one element's letters, from one to another. */
function underlay(element, first, last, note) {
  const box = element.getBBox();
  const exact = element.getNumberOfChars() === element.textContent.length;
  const from = exact ? element.getStartPositionOfChar(first).x : box.x;
  const to = exact ? element.getEndPositionOfChar(last).x : box.x + box.width;
  const rect = document.createElementNS(element.namespaceURI, "rect");
  const title = document.createElementNS(element.namespaceURI, "title");
  title.textContent = note;
  rect.append(title);
  const place = { class: "annotation", x: Math.min(from, to), y: box.y, width: Math.abs(to - from), height: box.height, fill: "#8ab6ff", "fill-opacity": 0.45 };
  for (const [name, value] of Object.entries(place)) rect.setAttribute(name, value);
  if (element.hasAttribute("transform")) rect.setAttribute("transform", element.getAttribute("transform"));
  element.before(rect);
}

/** Marks what notes quote on a page that is drawn; the document itself is not touched. */
function annotate(leaf) {
  const quoted = [...reader.querySelectorAll("[data-quoted]")].filter((note) => Number(note.dataset.quoted) === leaf.number);
  if (!quoted.length || !leaf.root) return;
  const [text, places] = letters(leaf.root);
  for (const note of quoted) {
    const quote = note.querySelector(".notes__quote").textContent.replace(/\s+/g, "");
    const at = quote ? text.indexOf(quote) : -1;
    if (at < 0) continue;
    const spans = new Map();
    for (const [element, letter] of places.slice(at, at + quote.length)) {
      const [first, last] = spans.get(element) ?? [letter, letter];
      spans.set(element, [Math.min(first, letter), Math.max(last, letter)]);
    }
    for (const [element, [first, last]] of spans) underlay(element, first, last, note.querySelector(".notes__text").textContent);
  }
}

// A note stands on the page in view; text that is selected there, or the hit that is found there, goes with it.
let quoteNow = () => {};
function notes() {
  const form = reader.querySelector("[data-note-form]");
  if (!form) return;
  const hint = form.querySelector("[data-note-hint]");
  const usual = hint.textContent;
  const [pageField, quoteField] = [form.querySelector("[data-note-page]"), form.querySelector("[data-note-quote]")];
  document.addEventListener("selectionchange", () => {
    const leaf = leaves.find((one) => one?.root && selected(one.root));
    if (!leaf) return;
    const text = selected(leaf.root).replace(/\s+/g, " ").trim().slice(0, 300);
    if (text) quoteNow(leaf.number, text);
  });
  quoteNow = (onPage, text) => {
    pageField.value = onPage;
    quoteField.value = text;
    hint.textContent = text ? `${reader.dataset.sayPage} ${onPage}: “${text.slice(0, 80)}”` : usual;
  };
  form.addEventListener("submit", () => { if (!quoteField.value) pageField.value = page; });
  form.addEventListener("reset", () => { hint.textContent = usual; });
}

/** The text that is selected inside a shadow root. */
function selected(root) {
  const selection = root.getSelection?.() ?? getSelection();
  return selection && root.contains(selection.anchorNode) ? String(selection) : "";
}

// ---- The rendition that everybody gets ----

async function hash() {
  const place = reader.querySelector("[data-hash]");
  if (!place || count > 60) return;
  const response = await fetch(place.dataset.hash, { method: "HEAD" }).catch(() => null);
  const tag = response?.ok && response.headers.get("etag");
  if (!tag) return;
  place.querySelector("[data-hash-text]").textContent = tag.replaceAll('"', "");
  place.hidden = false;
}

// ---- Start ----

if (stage) {
  build();
  reader.querySelector("[data-zoom]").hidden = false;
  lay();
  draw(leaves[page]).then(() => { watch(); thumbs(); go(page); if (box?.value) find(box.value); });
  new ResizeObserver(() => { if (typeof zoom === "string") lay(); }).observe(stage);
  reader.querySelector("[data-zoom-in]").addEventListener("click", larger);
  reader.querySelector("[data-zoom-out]").addEventListener("click", smaller);
  reader.querySelector("[data-rotate]").addEventListener("click", rotate);
  reader.querySelectorAll("[data-fit]").forEach((button) => button.addEventListener("click", () => setZoom(button.dataset.fit)));
  reader.querySelector("[data-goto]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = Number(event.target.page.value);
    if (!(wanted >= 1 && wanted <= count)) event.target.page.value = page;
    else go(wanted);
    stage.focus({ preventScroll: true });
  });
  reader.querySelector("[data-previous]")?.addEventListener("click", (event) => { event.preventDefault(); go(page - 1); });
  reader.querySelector("[data-next]")?.addEventListener("click", (event) => { event.preventDefault(); go(page + 1); });
  const toggle = reader.querySelector("[data-thumbs]");
  toggle?.addEventListener("click", () => {
    list.hidden = !list.hidden;
    toggle.setAttribute("aria-pressed", String(!list.hidden));
    lay();
  });
  const form = reader.querySelector("[data-find-form]");
  let typing = 0;
  box.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => find(box.value), 180);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    if (box.value.trim() !== words) find(box.value);
    else hit(found.at + (event.submitter?.value === "previous" ? -1 : 1));
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      hit(found.at - 1);
    }
    if (event.key === "Escape") {
      clearTimeout(typing);
      box.value = "";
      find("");
    }
  });
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    if (event.deltaY < 0) larger();
    else smaller();
  }, { passive: false });
  notes();
  reader.querySelectorAll("[data-page-link]").forEach((link) => link.addEventListener("click", (event) => {
    event.preventDefault();
    go(Number(link.dataset.pageLink));
  }));
  bind({
    n: () => go(page + 1),
    p: () => go(page - 1),
    ArrowRight: () => go(page + 1),
    ArrowLeft: () => go(page - 1),
    Home: () => go(1),
    End: () => go(count),
    "+": larger,
    "=": larger,
    "-": smaller,
    w: () => setZoom("width"),
    0: () => setZoom("page"),
    r: rotate,
    t: () => toggle?.click(),
  });
}

bind({
  f: () => { box?.focus(); box?.select(); },
  "g g": () => { const page = reader.querySelector("[data-page-box]"); page?.focus(); page?.select(); },
  d: () => { const menu = reader.querySelector("[data-key-download]"); menu?.click(); menu?.focus(); },
  s: () => reader.querySelector("[data-key-send]")?.click(),
  a: () => { const note = reader.querySelector("[data-key-note]"); note?.focus(); },
});
[...reader.querySelectorAll("[data-tab-link]")].forEach((link, number) => bind({ [number + 1]: () => link.click() }));
if (reader.dataset.failed) toast(reader.dataset.failed, true);
if ("requestIdleCallback" in window) requestIdleCallback(hash);
else setTimeout(hash, 1000);
