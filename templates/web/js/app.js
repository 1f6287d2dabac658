// Every page. Nothing needs it: without script, links and forms do the same.
import * as grid from "./grid.js";
import * as keys from "./keys.js";
import * as ui from "./ui.js";

ui.start();
// Where a telephone system wanted to lead says whose call it is: the form knows it, the address need not.
const next = document.querySelector("form[action='/sign-in'] input[name=next]");
if (next?.value.startsWith("/agent/pop")) history.replaceState(null, "", location.pathname);
grid.start();

const follow = (selector) => {
  const target = document.querySelector(selector);
  target?.click();
  return target ? undefined : false;
};
const focus = (selector) => {
  const target = document.querySelector(selector);
  target?.focus();
  return target ? undefined : false;
};
const help = document.querySelector("[data-shortcuts]");
const list = () => sessionStorage.getItem("greenbar.list") ?? "/agent";

keys.bind({
  "/": () => {
    const box = document.querySelector("[data-search]");
    box?.focus();
    box?.select();
  },
  "?": () => help?.showModal(),
  "g s": () => location.assign("/agent"),
  "g l": () => location.assign(list()),
  "g c": () => follow("[data-customer-link]"),
  "g r": () => location.assign("/agent/requests"),
  v: () => focus("#verify-how"),
  b: () => follow("[data-key-call]"),
  e: () => {
    if (follow("[data-key-wrap-up]") === false) return false;
    focus(".call select[name=code]");
  },
  n: () => follow("[data-next][href]"),
  p: () => follow("[data-previous][href]"),
});

for (const button of document.querySelectorAll("[data-help]")) {
  button.hidden = false;
  button.addEventListener("click", () => help?.showModal());
}

// Single keys can be switched off.
const choice = document.querySelector("[data-keys-switch]");
if (choice) {
  choice.checked = keys.enabled();
  choice.addEventListener("change", () => keys.enable(choice.checked));
}

// "Back" leads to the very list that the page was opened from.
const back = document.querySelector("a[data-back]");
if (back && list().startsWith(back.getAttribute("href"))) back.setAttribute("href", list());
