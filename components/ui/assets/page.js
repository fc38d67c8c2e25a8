(() => {
  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const run = document.querySelector('button[id$="-run"], [id$="-run"] button');
      if (run && !run.disabled) { event.preventDefault(); run.click(); }
    }
  });

  // Gradio builds a page piece by piece, and each piece moves those below it. It is shown once all are there and
  // nothing has changed for a moment, or after a while in any case.
  const STILL = 100, LONGEST = 8000; // ms
  const started = performance.now();
  let mounted = false, changed = started;
  addEventListener("tour-mounted", () => { mounted = true; changed = performance.now(); });
  addEventListener("DOMContentLoaded", () => {
    const app = document.querySelector("gradio-app");
    if (!app) return;
    const changes = new MutationObserver(() => { changed = performance.now(); });
    changes.observe(app, { childList: true, subtree: true });
    const look = () => {
      const now = performance.now();
      if (now - started < LONGEST && !(mounted && now - changed > STILL)) { setTimeout(look, 20); return; }
      changes.disconnect();
      document.documentElement.classList.add("up");
      dispatchEvent(new Event("tour-up"));
    };
    look();
  });
})();

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
  setTimeout(() => { button.textContent = "Copy"; }, 2500);
});

// Copies a link; where the browser does not let a page do so, as in a frame, shows it to be copied by hand. Tells
// whether it was copied.
window.tourCopy = async (link, button) => {
  // Asked first, or a browser whose host page forbids it complains on its console.
  const allowed = document.featurePolicy?.allowsFeature("clipboard-write") ?? true;
  try {
    if (!allowed) throw new Error("not allowed in this frame");
    await navigator.clipboard.writeText(link);
    return true;
  } catch {
    const place = button.closest(".row, p") ?? button;
    const box = place.parentElement.querySelector(":scope > .tour-link") ?? document.createElement("input");
    Object.assign(box, { className: "tour-link", readOnly: true, value: link, title: "Copy this link" });
    box.setAttribute("aria-label", "Copy this link");
    place.after(box);
    box.focus();
    box.select();
    return false;
  }
};
