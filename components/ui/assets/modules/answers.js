// Which question an answer on the page belongs to. Figures carry the values that they answer (components/ui/asking.py);
// what answers something else than is asked now is dimmed and says so. A new answer is read out, and its request is
// put into the address, so that it is not lost on leaving the page.
import { linkTo, same, showLink } from "./links.js";

let asked = null; // what the boxes hold; null until something has changed
let setting = null; // names, defaults, and what the button to run is called
let read = null; // the answer that was last read out

const isWorking = () =>
  Boolean(document.querySelector('button:is([id$="-stop"], [id$="-stop-run"]):not(:disabled)'));

// While an answer is written, it and the line about it have at least the room of those before, the line until
// something else is asked: what is below stays where it is.
const heights = new WeakMap();
let held = false; // the room of the line
const hold = () => {
  const working = isWorking();
  held ||= working;
  for (const block of document.querySelectorAll('.block:is([id$="-result"], [id$="-status"])')) {
    const keeps = working || (held && block.id.endsWith("-status"));
    block.style.minHeight = keeps && heights.has(block) ? `${heights.get(block)}px` : "";
    if (!keeps) heights.set(block, block.offsetHeight);
  }
};

const look = () => {
  const working = isWorking();
  for (const block of document.querySelectorAll("[data-stale]")) {
    // of an answer that has made way
    if (!block.querySelector(".answered")) delete block.dataset.stale;
  }
  for (const answer of document.querySelectorAll(".answered")) {
    const block = answer.closest(".block");
    const values = JSON.parse(answer.dataset.asked);
    const named = setting?.names.indexOf("model") ?? -1;
    const model = named < 0 ? Infinity : named; // where there is none to pick, all are inputs
    const others = asked ? values.flatMap((value, index) => (same(value, asked[index]) ? [] : [index])) : [];
    const words = !others.length
      ? "partial" in answer.dataset && !working
        ? "Stopped: this answer is not complete"
        : ""
      : others.some((index) => index < model)
        ? "Answer to an earlier text"
        : others.includes(model)
          ? "Answer of another model"
          : "Answer with other options";
    const after = others.length && !working ? `: press ${setting.run}` : "";
    if (words) block.dataset.stale = words + after;
    else delete block.dataset.stale;
  }
};

// What is only true of one answer stands only beside it.
const examples = () => {
  const shown = latest()?.dataset.asked;
  for (const text of document.querySelectorAll("[data-answers]"))
    text.hidden = !shown || !sameAll(shown, text.dataset.answers);
};
const sameAll = (one, other) => {
  const [first, second] = [JSON.parse(one), JSON.parse(other)];
  return first.length === second.length && first.every((value, index) => same(value, second[index]));
};

// Each answer has a name of its own; Gradio may keep the element, and scripts go on drawing in it.
const latest = () => document.querySelector('[id$="-result"] .answered:not([data-partial])');

const arrived = () => {
  const answer = latest();
  if (!answer || answer.dataset.answer === read) return;
  read = answer.dataset.answer;
  document.getElementById("tour-live").textContent = answer.dataset.said;
  const link = setting && linkTo(setting, JSON.parse(answer.dataset.asked));
  if (link) showLink(link);
};

/** The page tells what its boxes hold, whenever that changes (components/ui/asking.py). */
export function asks(about, ...values) {
  if (asked && !values.every((value, index) => same(value, asked[index]))) held = false;
  asked = values;
  setting = about;
  dispatchEvent(new Event("tour-asked"));
  look();
}

/** What the boxes hold, by name; empty until the page has told. */
export function typed() {
  return Object.fromEntries((setting?.names ?? []).map((name, index) => [name, asked[index]]));
}

// How long a visitor has waited, and how long it may still be where the share of the work is known.
const SURE = 0.05; // of the work, before anything is said of the rest
const begun = new WeakMap();
const duration = (seconds) => (seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`);
const wait = () => {
  for (const status of document.querySelectorAll(".status.block")) {
    const bar = status.querySelector(".working progress");
    if (!bar) {
      begun.delete(status);
      delete status.dataset.waited;
      continue;
    }
    if (!begun.has(status)) begun.set(status, performance.now());
    const waited = (performance.now() - begun.get(status)) / 1000;
    if (waited < 2) continue;
    const share = bar.hasAttribute("value") ? bar.value : 0;
    const rest = share > SURE ? `, about ${duration((waited * (1 - share)) / share)} more` : "";
    status.dataset.waited = `${duration(waited)}${rest}`;
  }
};
setInterval(() => {
  hold();
  wait();
}, 500);

// The column that matters is the last one: on a narrow screen it would be out of sight.
const place = () => {
  for (const box of document.querySelectorAll(
    '[data-name="layers-as-words"] .drawn-box:not([data-placed])',
  )) {
    box.dataset.placed = "";
    box.scrollLeft = box.scrollWidth;
  }
};

// Boxes that scroll sideways say where there is more.
const BOXES = ".grid-box, .drawn-box, .lane-stats, .att-stage, .model-card table";
const more = (box) => {
  const left = box.scrollLeft > 4,
    right = box.scrollWidth - box.clientWidth - box.scrollLeft > 4;
  const says = left && right ? "both" : left ? "start" : right ? "end" : "";
  if (says) box.dataset.more = says;
  else delete box.dataset.more;
};
const sized = new ResizeObserver((boxes) => {
  for (const { target } of boxes) more(target);
});
const known = new WeakSet();
const edges = () => {
  for (const box of document.querySelectorAll(BOXES)) {
    if (known.has(box)) {
      more(box);
      continue;
    }
    known.add(box);
    sized.observe(box);
    box.addEventListener("scroll", () => more(box), { passive: true });
  }
};

let due = false;
const changed = () => {
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    hold();
    look();
    wait();
    arrived();
    examples();
    place();
    edges();
  });
};
addEventListener("tour-up", () => {
  for (const status of document.querySelectorAll(".status.block")) status.setAttribute("role", "status");
  read = latest()?.dataset.answer;
  hold();
  look();
  examples();
  place();
  edges();
  new MutationObserver(changed).observe(document.querySelector("gradio-app"), {
    childList: true,
    subtree: true,
    attributeFilter: ["data-answer", "data-partial"],
  });
});
