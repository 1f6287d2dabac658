// Two documents beside each other: real text on both, rows that only one side has marked, scrolled together.
import { fetchSheet, showSheet } from "./sheet.js";

const sides = [...document.querySelectorAll("[data-side]")].map((element) => ({
  name: element.dataset.side,
  box: element.querySelector("[data-pages]"),
  leaves: [...element.querySelectorAll("[data-page]")],
  rows: [],
}));

/** A row of text as it is compared: without its blanks and dates that only say which month it is. */
const gist = (text) => text.replace(/\s+/g, " ").trim();

async function draw(side) {
  const sheets = await Promise.all(side.leaves.map((leaf) => fetchSheet(leaf.dataset.page).catch(() => null)));
  sheets.forEach((sheet, number) => {
    if (!sheet) return;
    const host = document.createElement("div");
    side.leaves[number].replaceChildren(host);
    host.style.aspectRatio = `${sheet.width} / ${sheet.height}`;
    const root = showSheet(host, sheet);
    for (const text of root.querySelectorAll("svg > text")) side.rows.push({ text, gist: gist(text.textContent) });
  });
}

function mark() {
  const [before, after] = sides;
  for (const [side, other, fill, edge] of [[before, after, "#fbdcd9", "#b3362b"], [after, before, "#c4e9cf", "#1f7a43"]]) {
    const left = new Map();
    for (const row of other.rows) left.set(row.gist, (left.get(row.gist) ?? 0) + 1);
    for (const row of side.rows) {
      const count = left.get(row.gist) ?? 0;
      if (count > 0) {
        left.set(row.gist, count - 1);
        continue;
      }
      const box = row.text.getBBox();
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const values = { x: box.x - 2, y: box.y, width: box.width + 4, height: box.height, fill, "fill-opacity": 0.85, stroke: edge, "stroke-width": 0.75 };
      for (const [name, value] of Object.entries(values)) rect.setAttribute(name, value);
      const turn = row.text.getAttribute("transform");
      if (turn) rect.setAttribute("transform", turn);
      row.text.before(rect);
    }
  }
}

function together() {
  let leader = null;
  let timer = 0;
  for (const side of sides) {
    side.box.addEventListener("scroll", () => {
      if (leader && leader !== side) return;
      leader = side;
      clearTimeout(timer);
      timer = setTimeout(() => { leader = null; }, 120);
      const part = side.box.scrollTop / Math.max(1, side.box.scrollHeight - side.box.clientHeight);
      for (const other of sides) {
        if (other !== side) other.box.scrollTop = part * (other.box.scrollHeight - other.box.clientHeight);
      }
    });
  }
}

if (sides.length === 2) {
  together();
  Promise.all(sides.map(draw)).then(mark);
}
document.querySelector("[data-submit]")?.addEventListener("change", (event) => event.target.form.submit());
