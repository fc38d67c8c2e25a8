// Runs at the start of the body, before anything is painted: light or dark, embedded or not.
(() => {
  const query = new URLSearchParams(location.search);
  document.documentElement.classList.toggle("embed", query.get("embed") === "1");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const asked = query.get("__theme");
  let chosen = asked === "dark" || asked === "light" ? asked : null;
  try { if (!query.has("__theme")) chosen = localStorage.getItem("tour-theme"); } catch { /* storage may be blocked in an iframe */ }
  const apply = () => {
    const dark = chosen ? chosen === "dark" : system.matches;
    if (document.body.classList.contains("dark") !== dark) document.body.classList.toggle("dark", dark);
  };
  apply();
  // Gradio sets the class by what the system says when it starts: what a visitor has chosen is put back before
  // it can be seen.
  new MutationObserver(apply).observe(document.body, { attributeFilter: ["class"] });
  system.addEventListener("change", apply);
  window.tourTheme = (theme) => { chosen = theme; apply(); };
})();
