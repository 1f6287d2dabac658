// What components do beyond what HTML does alone: menus close, dialogs open, forms are sent once, toasts come and go.

/** Shows a short message for some seconds. */
export function toast(text, bad = false) {
  const box = document.querySelector("[data-toasts]");
  if (!box || !text) return;
  const message = document.createElement("p");
  message.className = bad ? "toast toast--bad" : "toast";
  message.textContent = text;
  box.append(message);
  setTimeout(() => message.remove(), bad ? 9000 : 5000);
}

/** The session's token for requests that change something. */
export function token() {
  return document.querySelector("input[name=csrf]")?.value ?? "";
}

/** Fetches a page or a part of one; null when the request was given up. A session that ended leads to the sign-in. */
export async function get(address, signal) {
  try {
    const response = await fetch(address, { signal, headers: { "X-Requested-With": "greenbar" } });
    if (response.redirected && new URL(response.url).pathname === "/") {
      location.assign(`/?next=${encodeURIComponent(location.pathname + location.search)}`);
      return null;
    }
    return response;
  } catch (error) {
    if (error.name === "AbortError") return null;
    throw error;
  }
}

// In a form inside a menu the arrows move in the field.
const choosing = (target) => target.matches?.("select, textarea, input:not([type=checkbox])");

function menus() {
  // A menu that asks for something is typed into at once.
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details[data-menu][open]")) event.target.querySelector("input:not([type=hidden], [type=checkbox])")?.focus();
  }, true);
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const menu = document.querySelector("details[data-menu][open]");
    if (!menu) return;
    const items = [...menu.querySelectorAll(".menu__item:is(a, button), .menu__item input")];
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (items.length && !choosing(event.target) && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const at = items.indexOf(document.activeElement);
      const next = event.key === "ArrowDown" ? at + 1 : at - 1;
      items[(next + items.length) % items.length]?.focus();
    } else {
      return;
    }
    event.preventDefault();
  });
}

function dialogs() {
  for (const opener of document.querySelectorAll("[data-open]")) opener.hidden = false;
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) {
      // Without script the link leads to the same form, shown in its place.
      event.preventDefault();
      const dialog = document.getElementById(opener.dataset.open);
      dialog?.showModal();
      // To the first field, not to the button that closes.
      dialog?.querySelector(".dialog__body :is(input:not([type=hidden]), select, textarea)")?.focus();
    }
    // A click on the scrim closes.
    if (event.target.matches?.("dialog[open]")) event.target.close();
  });
}

// A form that was sent is not sent again by an impatient second click.
function once() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    setTimeout(() => form.querySelectorAll("button").forEach((button) => { button.disabled = true; }), 0);
  });
}

function theme() {
  for (const link of document.querySelectorAll("[data-theme-toggle]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const root = document.documentElement;
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      fetch(`/theme?to=${root.dataset.theme}`, { redirect: "manual" });
    });
  }
}

// A document in a frame is as high as what it says, so that the page has one scroll. Without script the frame scrolls.
function frames() {
  for (const frame of document.querySelectorAll("iframe[data-whole]")) {
    const fit = () => {
      const whole = frame.contentDocument?.documentElement;
      if (!whole?.querySelector("main")) return;
      frame.classList.add("frame--whole");
      const height = Math.ceil(whole.getBoundingClientRect().height);
      // What scrolls to the side has its bar below.
      const bar = whole.scrollWidth > whole.clientWidth ? 20 : 0;
      if (Math.abs(frame.offsetHeight - height - bar) > 1) frame.style.height = `${height + bar + 2}px`;
    };
    const watch = () => {
      fit();
      const whole = frame.contentDocument?.documentElement;
      if (whole) new ResizeObserver(fit).observe(whole);
    };
    frame.addEventListener("load", watch);
    if (frame.contentDocument?.readyState === "complete") watch();
    addEventListener("resize", fit);
  }
}

export function start() {
  frames();
  menus();
  dialogs();
  once();
  theme();
  for (const button of document.querySelectorAll("[data-history-back]")) {
    button.hidden = history.length < 2;
    button.addEventListener("click", () => history.back());
  }
  // What was just done is said once: not again when the page is reloaded or kept as a bookmark.
  const address = new URL(location);
  if (address.searchParams.has("said")) {
    address.searchParams.delete("said");
    history.replaceState(null, "", address);
  }
  // What the browser kept of a page is not shown again after the session ended, nor is a sent form dead.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}
