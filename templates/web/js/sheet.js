// Pages of a document as drawings: fetched as SVG and put into the page with real text that can be selected.
//
// Each drawing lives in a shadow root of its own, so that names inside it never meet those of another page. Fonts that
// came with the stream are registered with the document under names of our own, each once.
import { get } from "./ui.js";

const fonts = new Map();

function font(data) {
  if (fonts.has(data)) return fonts.get(data);
  const name = `stream-${fonts.size}`;
  fonts.set(data, name);
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const face = new FontFace(name, bytes.buffer);
  document.fonts.add(face);
  face.load().catch(() => {});
  return name;
}

function rules(style) {
  const names = new Map();
  const rest = style.replace(/@font-face\{font-family:(f\d+);src:url\(data:[^;]*;base64,([^)]*)\)\}/g, (_, name, data) => {
    names.set(name, font(data));
    return "";
  });
  return rest.replace(/font-family:(f\d+),/g, (_, name) => `font-family:"${names.get(name) ?? name}",`);
}

/** Fetches a drawing: its SVG element, and its width and height in points. Throws when it cannot be had. */
export async function fetchSheet(address, signal) {
  const response = await get(address, signal);
  if (!response) return null;
  if (!response.ok) throw new Error(String(response.status));
  const text = await response.text();
  // The policy of the page knows no styles inside it: the rules go into a style sheet of the shadow root.
  const [, before, style, after] = text.match(/^([^]*?)<style>([^]*?)<\/style>([^]*)$/) ?? [null, text, "", ""];
  const svg = new DOMParser().parseFromString(before + after, "image/svg+xml").documentElement;
  if (svg.localName !== "svg") throw new Error("no drawing");
  const css = rules(style);
  const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  return { svg, css, width, height };
}

/** Shows a drawing in a host element. */
export function showSheet(host, sheet) {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const style = new CSSStyleSheet();
  style.replaceSync(`:host{display:block}svg.sheet{display:block;width:100%;height:100%}.mark.now{fill:#ffb43d;stroke:#7a4a00;stroke-width:1}${sheet.css}`);
  root.adoptedStyleSheets = [style];
  const svg = document.importNode(sheet.svg, true);
  svg.setAttribute("width", "100%");
  svg.setAttribute("height", "100%");
  root.replaceChildren(svg);
  return root;
}
