// The parts of a tinted text: a click picks one, arrow keys go from one to the next.

/** @param {import("./component.js").Component} component */
export function start({ element, trigger }) {
  element.addEventListener("click", (event) => {
    const part = event.target.closest("[data-unit]");
    if (!part) return;
    for (const each of element.querySelectorAll("[data-unit]"))
      each.setAttribute("aria-pressed", String(each.dataset.unit === part.dataset.unit));
    trigger("pick", { picked: Number(part.dataset.unit) });
  });

  element.addEventListener("keydown", (event) => {
    const part = event.target.closest("[data-unit]");
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!part || !step) return;
    event.preventDefault();
    const parts = [...part.closest(".shown").querySelectorAll("[data-unit]")];
    const next = parts[parts.indexOf(part) + step];
    if (!next) return;
    for (const each of parts) each.tabIndex = each === next ? 0 : -1;
    next.focus();
  });
}
