// Keeps the part of a page that tells how far things are up to date. Without script a reload does the same.
import * as grid from "./grid.js";
import * as ui from "./ui.js";

const FAST_MS = 1500;
const SLOW_MS = 10_000;
const place = document.querySelector("[data-live]");
let shown = place?.innerHTML;

/** Puts what came into the place; the focus stays on the row or control that has it. */
function put(fresh) {
  if (fresh.innerHTML === shown) return;
  const active = place.contains(document.activeElement) ? document.activeElement : null;
  const row = active?.closest("[data-id]")?.dataset.id;
  const href = active?.getAttribute("href");
  const name = active?.closest("form")?.querySelector("input[name=do]")?.value;
  shown = fresh.innerHTML;
  place.innerHTML = shown;
  grid.take(place);
  if (!active) return;
  const again = (row && place.querySelector(`[data-id="${row}"]`))
    || (href && [...place.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === href))
    || (name && place.querySelector(`form:has(input[name=do][value="${name}"]) button`));
  (again || document.querySelector("main"))?.focus({ preventScroll: true });
}

async function look() {
  const moved = place.hasAttribute("data-moves");
  try {
    const response = document.hidden || place.querySelector("form[data-sent]") ? null : await ui.get(location.pathname + location.search);
    if (response?.ok) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.querySelector("[data-live]");
      if (!fresh) return;
      // One arrival that came to rest has more to show than this part.
      if (place.hasAttribute("data-until-rest") && !fresh.hasAttribute("data-until-rest")) {
        location.replace(location.pathname + location.search);
        return;
      }
      place.toggleAttribute("data-moves", fresh.hasAttribute("data-moves"));
      put(fresh);
    }
  } catch {
    // The server is being restarted: the next look tells.
  }
  if (moved || !place.hasAttribute("data-until-rest")) setTimeout(look, place.hasAttribute("data-moves") ? FAST_MS : SLOW_MS);
}

if (place && (place.hasAttribute("data-moves") || place.querySelector("[data-grid], .empty"))) {
  setTimeout(look, place.hasAttribute("data-moves") ? FAST_MS : SLOW_MS);
}
