// Presenting: one figure of the page at a time, in large type, for a projector. The forms stay as they are, out of sight.
import { typed } from "./answers.js";
import { free } from "./keys.js";
import { make } from "./dom.js";

// What a page has to show, in its own order; a figure inside another one is part of that.
const FIGURES =
  ".result.block, #attention-view, #tokenizers-lanes, .token-figure, .layer-view, .chart, .attribution, .story, " +
  ".lab-judge, .lab-data, #lab-rows, #lab-runs, #models-table, #home-strip, .made-cards, .document > section";
const NOT = ".story-contents, .status, .story:not(:has(svg, canvas, table, ol, dl, [data-milestone]))"; // prose alone
const MANNER = "present";

const page = document.documentElement;
const pointed = () => {
  const panel = document.getElementById("tour-panel");
  return panel && document.querySelector(panel.dataset.anchor);
};
let current = null;
let bar = null;
let said = null;
let asked = null;

/** All that can be seen of the page when it is not presented. */
function figures() {
  page.classList.remove("present-one", "present-waiting");
  const target = pointed();
  const found = [...document.querySelectorAll(FIGURES)].filter(
    (one) =>
      !one.matches(NOT) &&
      !one.parentElement.closest(FIGURES) &&
      !(target && (target.contains(one) || one.contains(target))) &&
      one.checkVisibility() &&
      /** @type {HTMLElement} */ (one).offsetHeight > 40,
  );
  if (target?.checkVisibility()) found.push(target);
  page.classList.toggle("present-one", Boolean(current));
  page.classList.toggle("present-waiting", !current);
  return found.sort((one, other) =>
    one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1,
  );
}

function title(figure) {
  const heading = figure.querySelector("h2, h3") ?? figure.previousElementSibling?.querySelector("h2, h3");
  return heading?.textContent.trim() ?? "";
}

/** An answer in text and bars grows until it fills the window; charts and canvases take their room themselves. */
function enlarge(figure) {
  if (!figure.matches(".result.block")) return;
  const room = innerHeight - figure.getBoundingClientRect().top - bar.offsetHeight;
  for (const zoom of [2.2, 1.9, 1.6, 1.3]) {
    figure.style.zoom = String(zoom);
    if (figure.getBoundingClientRect().height < room) return;
  }
  figure.style.zoom = "";
}

function show(figure, all) {
  for (const one of document.querySelectorAll("[data-presented], [data-present-path]")) {
    delete (/** @type {HTMLElement} */ (one).dataset.presented);
    delete (/** @type {HTMLElement} */ (one).dataset.presentPath);
  }
  if (current) current.style.zoom = "";
  current = figure ?? null;
  page.classList.toggle("present-one", Boolean(current));
  page.classList.toggle("present-waiting", !current && page.classList.contains(MANNER));
  if (current) {
    current.dataset.presented = "";
    const root = current.closest("gradio-app, .document") ?? document.body;
    for (let one = current.parentElement; one; one = one === root ? null : one.parentElement)
      one.dataset.presentPath = "";
    scrollTo(0, 0);
    enlarge(current);
    dispatchEvent(new Event("resize")); // charts and canvases take the room that there is now
  }
  for (const one of bar.querySelectorAll(".step")) one.hidden = all.length < 2;
  const name = current && title(current);
  said.textContent = current
    ? `Figure ${all.indexOf(current) + 1} of ${all.length}${name ? `: ${name}` : ""}`
    : "Waiting for the answer";
}

function step(by) {
  const all = figures();
  const place = all.indexOf(current);
  const next = place < 0 ? all[0] : all[Math.min(all.length - 1, Math.max(0, place + by))];
  show(next, all);
}

function first() {
  const all = figures();
  const target = pointed();
  show(all.includes(target) ? target : all[0], all);
}

// An answer that comes or goes while it is presented.
let due = false;
const changes = new MutationObserver(() => {
  if (due || current?.checkVisibility()) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    if (page.classList.contains(MANNER) && !current?.checkVisibility()) first();
  });
});

function quote() {
  const values = Object.entries(typed()).filter(([name]) => name !== "task");
  const named = values.findIndex(([name]) => name === "model");
  const texts = values
    .slice(0, named < 0 ? values.length : named)
    .map(([, value]) => String(value ?? "").trim());
  asked.textContent = texts.filter(Boolean).slice(0, 2).join("\n");
}

function build() {
  bar = make("div");
  bar.id = "present-bar";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Presenting");
  said = make("output");
  const button = (words, key, pressed) => {
    const made = make("button", "", words);
    made.type = "button";
    made.title = key;
    made.setAttribute("aria-keyshortcuts", key.replace(" ", ""));
    made.addEventListener("click", pressed);
    return made;
  };
  const steps = [
    button("Previous figure", "Page Up", () => step(-1)),
    button("Next figure", "Page Down", () => step(1)),
  ];
  for (const one of steps) one.className = "step";
  bar.append(...steps, said, button("Stop presenting", "Escape", toggle));
  document.body.append(bar);
  asked = make("p", "present-asked");
  document.querySelector(".tour-heading, .hero").append(asked);
  addEventListener("tour-asked", quote);
  addEventListener("keydown", (event) => {
    if (!page.classList.contains(MANNER) || !free(event)) return;
    const arrows = document.getElementById("tour-panel") ? {} : { ArrowLeft: -1, ArrowRight: 1 };
    const by = { PageUp: -1, PageDown: 1, ...arrows }[event.key];
    if (event.key === "Escape") toggle();
    else if (by) step(by);
    else return;
    event.preventDefault();
  });
  // Links lead on in the same manner.
  document.addEventListener(
    "click",
    (event) => {
      const link = /** @type {Element} */ (event.target).closest?.("a[href]");
      if (!(link instanceof HTMLAnchorElement) || !link.href.startsWith(new URL(".", document.baseURI).href))
        return;
      const address = new URL(link.href);
      if (page.classList.contains(MANNER)) address.searchParams.set(MANNER, "1");
      else address.searchParams.delete(MANNER);
      link.href = address.href;
    },
    true,
  );
}

/** The page is presented from now on. */
export function start() {
  page.classList.add(MANNER);
  if (!bar) build();
  quote();
  const ready = () => {
    first();
    changes.observe(document.body, { childList: true, subtree: true, attributeFilter: ["class", "style"] });
  };
  if (page.classList.contains("up") || !document.querySelector("gradio-app")) ready();
  else addEventListener("tour-up", ready, { once: true });
}

function stop() {
  page.classList.remove(MANNER);
  changes.disconnect();
  show(null, []);
  dispatchEvent(new Event("resize"));
}

export function toggle() {
  const presenting = page.classList.contains(MANNER);
  const here = new URL(location.href);
  if (presenting) here.searchParams.delete(MANNER);
  else here.searchParams.set(MANNER, "1");
  history.replaceState(history.state, "", here);
  if (presenting) stop();
  else start();
}
