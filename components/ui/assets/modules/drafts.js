// What was typed is there again after a reload, also when the server was started anew meanwhile: Gradio reloads the
// page then, and a run that was under way is lost, which the page says. Kept for this tab alone. Runs before
// Gradio reads the address: the page's module stands before Gradio's.
import { typed } from "./answers.js";
import { keeping } from "./links.js";

const LONGEST_QUERY = 7500; // characters: a longer address is refused by many servers
const key = `tour-draft:${location.pathname}`;
const store = (draft) => {
  try {
    if (draft) sessionStorage.setItem(key, draft);
    else sessionStorage.removeItem(key);
  } catch {
    /* storage may be blocked in an iframe */
  }
};
const stored = () => {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
};

const reloaded = /** @type {any} */ (performance.getEntriesByType("navigation")[0])?.type === "reload";
const draft = reloaded ? stored() : null;
if (draft) {
  const query = keeping(new URLSearchParams(draft));
  history.replaceState(history.state, "", `${location.pathname}?${query}`);
}
store(null);

let first = null; // what the boxes held before anybody typed
let asked = null; // the same as a query, once it is something else
let latest = null;
addEventListener("tour-asked", () => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(typed())) if (value != null) query.set(name, String(value));
  latest = query.toString();
  first ??= latest;
  asked = latest === first && !draft ? null : latest;
});
addEventListener("pagehide", () => {
  const running = Boolean(
    document.querySelector('button:is([id$="-stop"], [id$="-stop-run"]):not(:disabled)'),
  );
  const query = running ? latest : asked;
  if (!query || query.length > LONGEST_QUERY) return;
  store(`${query}&kept=${running ? "cut" : "1"}`);
});
