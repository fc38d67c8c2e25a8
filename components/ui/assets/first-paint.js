// Light or dark, embedded, presented or not. Stands in the page's HTML itself: a module would come after the first paint.
(() => {
  const page = document.documentElement;
  const query = new URLSearchParams(location.search);
  for (const name of ["embed", "present"]) page.classList.toggle(name, query.get(name) === "1");
  // A link that asks something else than the page opens with: the stored answer does not belong to it.
  const looks = ["embed", "present", "__theme", "view", "tour", "stop"];
  page.classList.toggle(
    "asked",
    [...query.keys()].some((name) => !looks.includes(name)),
  );
  const system = matchMedia("(prefers-color-scheme: dark)");
  const asked = query.get("__theme");
  let chosen = asked === "dark" || asked === "light" ? asked : null;
  try {
    if (!query.has("__theme")) chosen = localStorage.getItem("tour-theme");
  } catch {
    /* storage may be blocked in an iframe */
  }
  const apply = () => {
    const dark = chosen ? chosen === "dark" : system.matches;
    page.classList.toggle("dark-page", dark);
    const body = document.body;
    if (body && body.classList.contains("dark") !== dark) body.classList.toggle("dark", dark);
  };
  apply();
  // Gradio sets the body's class by what the system says when it starts: what a visitor has chosen is put back
  // before it can be seen.
  const observer = new MutationObserver(apply);
  const follow = () => {
    if (!document.body) return;
    waiting.disconnect();
    observer.observe(document.body, { attributeFilter: ["class"] });
    apply();
  };
  const waiting = new MutationObserver(follow);
  waiting.observe(page, { childList: true });
  follow();
  system.addEventListener("change", apply);
  addEventListener("tour-theme", (event) => {
    chosen = /** @type {CustomEvent} */ (event).detail;
    apply();
  });
})();
