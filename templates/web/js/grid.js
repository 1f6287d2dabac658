// A hit list by keyboard: one row is current (ARIA grid with a roving tab stop), Enter opens it, x marks it.
import { bind } from "./keys.js";

let rows = [];
let marked = [];

const link = (row) => row.querySelector("[data-open-row]") ?? row.querySelector("a[href]");
const current = () => rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));

function move(to) {
  if (!rows.length) return false;
  const at = Math.max(0, Math.min(rows.length - 1, to));
  rows.forEach((row, number) => { row.tabIndex = number === at ? 0 : -1; });
  rows[at].focus({ preventScroll: true });
  rows[at].scrollIntoView({ block: "nearest" });
}

function step(by) {
  const at = current();
  const resting = rows.findIndex((row) => row.tabIndex === 0);
  return move(at >= 0 ? at + by : by > 0 && resting <= 0 ? 0 : resting + (resting === 0 ? 0 : by));
}

function open() {
  const at = current();
  if (at < 0) return false;
  // A button or another link inside the row has the key for itself.
  if (document.activeElement !== rows[at]) return false;
  link(rows[at])?.click();
}

function mark() {
  const row = rows[current()];
  if (!row?.dataset.id) return false;
  const on = row.getAttribute("aria-selected") !== "true";
  row.setAttribute("aria-selected", String(on));
  marked = marked.filter((id) => id !== row.dataset.id);
  if (on) marked.push(row.dataset.id);
}

function compare() {
  if (marked.length < 2) return false;
  const [left, right] = marked.slice(-2);
  location.assign(`/agent/documents/${left}/compare?with=${right}`);
}

/** Takes the list that the page shows now. */
export function take(root = document) {
  const grid = root.querySelector("[data-grid], ul[data-hits]");
  rows = grid ? [...grid.querySelectorAll("[data-row], :scope > li")] : [];
  marked = [];
  rows.forEach((row, number) => {
    row.tabIndex = number === 0 ? 0 : -1;
    // Inside the grid the row is the tab stop; what it links to opens with Enter.
    if (row.matches("tr")) row.querySelectorAll("a[href]").forEach((inner) => { inner.tabIndex = -1; });
  });
}

function focused(event) {
  if (!rows.includes(event.target)) return;
  rows.forEach((row) => { row.tabIndex = row === event.target ? 0 : -1; });
}

function clicked(event) {
  const row = rows.find((one) => one.contains(event.target));
  if (row && !event.target.closest("a, button, input, label") && !String(getSelection())) link(row)?.click();
}

/** Moves to the first row, for the search box. */
export function enter() {
  return move(0);
}

export function start() {
  take();
  document.addEventListener("focusin", focused);
  document.addEventListener("click", clicked);
  bind({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => (current() >= 0 ? step(1) : false),
    ArrowUp: () => {
      if (current() > 0) return step(-1);
      if (current() < 0) return false;
      document.querySelector("[data-search]")?.focus();
    },
    Home: () => (current() >= 0 ? move(0) : false),
    End: () => (current() >= 0 ? move(rows.length - 1) : false),
    Enter: open,
    o: open,
    x: mark,
    c: () => (rows.length ? compare() : document.querySelector("[data-key-compare]")?.click()),
  });
}
