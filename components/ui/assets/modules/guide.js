// The panel of a guided tour (components/ui/guides.py): what it points at, its keys, and how it is left.
import { free } from "./keys.js";
import { remember } from "./tours.js";

const WAIT = 60_000; // ms that something may take to appear: a text that a slow host still writes
const panel = document.getElementById("tour-panel");
const heading = document.getElementById("tour-stop");
const live = panel.querySelector('[role="status"]');
const still = matchMedia("(prefers-reduced-motion: reduce)");

remember({ tour: panel.dataset.tour, stop: Number(panel.dataset.stop) });

// In a frame on another page the focus stays with that page, unless the visitor has come from another stop.
const framed = document.documentElement.classList.contains("embed");
if (!framed || document.referrer.startsWith(location.origin)) heading.focus({ preventScroll: true });

// What the stop points at is marked, and kept in sight until the visitor takes over: an answer may still come.
let marked = null;
let mine = true;
const show = () => {
  if (!mine || !marked) return;
  const { top, bottom, height } = marked.getBoundingClientRect();
  const beside = getComputedStyle(panel);
  const end = beside.top === "0px" ? innerHeight : panel.getBoundingClientRect().top;
  const start = framed ? panel.getBoundingClientRect().bottom : 0;
  if (top >= start && bottom <= end) return;
  const block = height < end - start ? "center" : "start";
  marked.scrollIntoView({ block, behavior: still.matches ? "instant" : "smooth" });
};
const sized = new ResizeObserver(show);
const mark = () => {
  const found = document.querySelector(panel.dataset.anchor);
  if (found === marked || !found?.checkVisibility()) return;
  if (marked) {
    sized.unobserve(marked);
    delete marked.dataset.tourHere;
  }
  marked = found;
  marked.dataset.tourHere = "";
  sized.observe(marked);
};
const changes = new MutationObserver(mark);
const begin = () => {
  mark();
  sized.observe(document.body); // what comes above it moves it
  changes.observe(document.body, {
    childList: true,
    subtree: true,
    attributeFilter: ["class", "style", "hidden"],
  });
};
const built = () => {
  const page = document.documentElement.classList;
  return page.contains("up") || !document.querySelector("gradio-app");
};
if (built()) begin();
else addEventListener("tour-up", begin, { once: true });
for (const kind of ["wheel", "touchstart", "pointerdown"])
  addEventListener(kind, () => (mine = false), { once: true, passive: true });

// "Show me" does what the stop asks for, as a visitor would.
const there = async (selector) => {
  const until = performance.now() + WAIT;
  for (;;) {
    const found = /** @type {any} */ (document.querySelector(selector));
    if (found && !found.disabled) return found;
    if (performance.now() > until) throw new Error(`There is no ${selector} here now.`);
    await new Promise((done) => setTimeout(done, 50));
  }
};
async function act({ fill, press }) {
  for (const [selector, value] of Object.entries(fill)) {
    const box = await there(selector);
    box.value = value;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }
  await new Promise((done) => setTimeout(done)); // Gradio takes in what was typed
  for (const selector of press) (await there(selector)).click();
}
const doing = panel.querySelector(".tour-do");
const asks = doing.textContent;
doing.addEventListener("click", async () => {
  if (doing.ariaBusy === "true") return;
  mine = true;
  live.textContent = "";
  doing.ariaBusy = "true";
  doing.textContent = "Waiting for the page";
  let done = true;
  try {
    await act(JSON.parse(panel.dataset.try));
  } catch {
    done = false;
  }
  doing.ariaBusy = "false";
  doing.textContent = asks;
  live.classList.toggle("unseen", done); // what was done is seen on the page
  live.textContent = done
    ? "Done. The marked part of the page shows the result."
    : "This control is not available now. Reload the page and try again.";
  if (done) show();
});

// Arrow keys go from stop to stop, except where they have a meaning of their own.
addEventListener("keydown", (event) => {
  if (!free(event)) return;
  if (event.key === "Escape" && !document.documentElement.classList.contains("present")) leave();
  const way = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
  const link = way && panel.querySelector(`a[rel="${way}"]`);
  if (!link) return;
  event.preventDefault();
  link.click();
});

function leave() {
  if (!panel.isConnected) return;
  changes.disconnect();
  sized.disconnect();
  if (marked) delete marked.dataset.tourHere;
  panel.remove();
  document.getElementById("tour-panel-style").remove();
  const here = new URL(location.href);
  for (const name of ["tour", "stop"]) here.searchParams.delete(name);
  history.replaceState(history.state, "", here);
  document.getElementById("main").focus({ preventScroll: true });
}
panel.querySelector(".tour-leave").addEventListener("click", leave);
