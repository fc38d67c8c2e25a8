// The list of trainings. The first press on "Remove" asks, the second does it.
const SURE = 6000; // ms for which the question stands

/** @param {import("./component.js").Component} component */
export function start({ element, trigger }) {
  element.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-run]");
    if (!button) return;
    if (button.dataset.asked) {
      button.disabled = true;
      trigger("remove", { run: button.dataset.run });
      return;
    }
    button.dataset.asked = "1";
    const [label, words] = [button.getAttribute("aria-label"), button.textContent];
    button.textContent = "Remove for good?";
    button.setAttribute("aria-label", `${label} for good: press again`);
    setTimeout(() => {
      if (button.disabled) return;
      delete button.dataset.asked;
      button.textContent = words;
      button.setAttribute("aria-label", label);
    }, SURE);
  });
}
