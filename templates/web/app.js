// Keyboard for the hit list and the pages of a document. Every page works without it.
"use strict";
(() => {
  const rows = [...document.querySelectorAll("[data-hits] tbody tr, ul[data-hits] > li")];
  const link = (row) => row.querySelector("a");
  let at = -1;

  const move = (to) => {
    if (!rows.length) return;
    at = Math.max(0, Math.min(rows.length - 1, to));
    rows.forEach((row, number) => row.classList.toggle("at", number === at));
    link(rows[at]).focus();
    rows[at].scrollIntoView({ block: "nearest" });
  };

  const follow = (name) => {
    const target = document.querySelector(`[${name}]`);
    if (target) target.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select, textarea");
    if (typing) {
      if (event.key === "Escape") event.target.blur();
      if (event.key === "ArrowDown" && event.target.matches("[data-search]") && rows.length) {
        event.preventDefault();
        move(0);
      }
      return;
    }
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    if (here >= 0) at = here;
    const actions = {
      "/": () => document.querySelector("[data-search]")?.focus(),
      j: () => move(at + 1),
      k: () => move(at - 1),
      ArrowDown: rows.length ? () => move(at + 1) : null,
      ArrowUp: rows.length ? () => move(at - 1) : null,
      n: () => follow("data-next"),
      p: () => follow("data-previous"),
      ArrowRight: () => follow("data-next"),
      ArrowLeft: () => follow("data-previous"),
      Enter: here < 0 && at >= 0 ? () => link(rows[at]).click() : null,
    };
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });

  // A click anywhere on a hit opens it, as people expect of a list.
  rows.forEach((row) => row.addEventListener("click", (event) => {
    if (!event.target.closest("a, button") && !String(getSelection())) link(row).click();
  }));

  // "Back" goes to the very list that the document was opened from.
  const back = document.querySelector("[data-back]");
  if (back && document.referrer) {
    const from = new URL(document.referrer);
    if (from.origin === location.origin && from.pathname === new URL(back.href).pathname) {
      sessionStorage.setItem("list", from.pathname + from.search);
    }
    const list = sessionStorage.getItem("list");
    if (list && list.startsWith(back.getAttribute("href"))) back.setAttribute("href", list);
  }
})();
