// What every page runs: this is the one module that its HTML names.
import "./answers.js";
import "./drafts.js";
import "./embed.js";
import "./exports.js";
import "./header.js";

addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const run = document.querySelector('button[id$="-run"], [id$="-run"] button');
    if (run && !run.disabled) {
      event.preventDefault();
      run.click();
    }
  }
});

// Gradio builds a page piece by piece, and each piece moves those below it. It is shown once all are there and
// nothing has changed for a moment, or after a while as far as it is built.
const STILL = 100,
  LONGEST = 8000; // ms
const started = performance.now();
let built = false,
  loaded = false,
  changed = started;
/** Gradio has built all components of the page. */
export function mounted() {
  built = true;
  changed = performance.now();
}

// Components start when their modules are there: asked for by the HTML, and waited for before the page is shown.
async function modules() {
  const here = new URL(".", import.meta.url).href;
  const links = [...document.querySelectorAll('link[rel="modulepreload"]')].map((link) => link.href);
  await Promise.allSettled(links.filter((link) => link.startsWith(here)).map((link) => import(link)));
  loaded = true;
}

function shown() {
  const app = document.querySelector("gradio-app");
  if (!app) return;
  modules();
  const changes = new MutationObserver(() => {
    changed = performance.now();
  });
  changes.observe(app, { childList: true, subtree: true });
  const look = () => {
    const now = performance.now();
    const late = now - started > LONGEST && app.querySelector("main");
    if (!late && !(built && loaded && now - changed > STILL)) {
      setTimeout(look, 20);
      return;
    }
    changes.disconnect();
    document.querySelector(".tour-waiting")?.remove();
    document.documentElement.classList.add("up");
    dispatchEvent(new Event("tour-up"));
  };
  look();
}
addEventListener("DOMContentLoaded", shown);

// Buttons beside text to copy (components/figures/api_reference.py).
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.(".code-box .copy");
  if (!button) return;
  const text = button.parentElement.querySelector("pre").textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
    button.textContent = "Selected: press Ctrl+C";
  }
  setTimeout(() => {
    button.textContent = "Copy";
  }, 2500);
});
