// Keyboard shortcuts: single keys and two-key sequences. They sleep while somebody types, and can be switched off
// (WCAG 2.1.4), which the browser remembers.
const SWITCH = "greenbar.keys";
const WAIT_MS = 900;
const bindings = new Map();
let first = "";
let timer = 0;

/** Binds keys to actions: "j", "g s", "ArrowDown". An action that returns false lets the browser have the key. */
export function bind(actions) {
  for (const [keys, action] of Object.entries(actions)) bindings.set(keys, action);
}

export function enabled() {
  return localStorage.getItem(SWITCH) !== "off";
}

export function enable(on) {
  if (on) localStorage.removeItem(SWITCH);
  else localStorage.setItem(SWITCH, "off");
}

const typing = (target) => target.closest?.("input:not([type=checkbox],[type=radio]), select, textarea, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  if (event.key.length === 1 && !enabled()) return;
  clearTimeout(timer);
  const sequence = first && `${first} ${event.key}`;
  first = "";
  const action = (sequence && bindings.get(sequence)) || bindings.get(event.key);
  if (action) {
    if (action(event) !== false) event.preventDefault();
    return;
  }
  if ([...bindings.keys()].some((keys) => keys.startsWith(`${event.key} `))) {
    first = event.key;
    timer = setTimeout(() => { first = ""; }, WAIT_MS);
  }
});
