// Drawings whose parts appear step by step: once when they come into view, and again at a press of Play. The
// motion is the style sheet's; who wants less motion sees the whole drawing from the start.

const STEP = 450; // milliseconds, as in story.css

/** @param {import("./component.js").Component} component */
export function start({ element }) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const figures = element.querySelectorAll(".drawing");

  /** @param {Element} figure */
  const play = (figure) => {
    const steps = [...figure.querySelectorAll(".step")].map((step) =>
      Number(step.style.getPropertyValue("--at")),
    );
    figure.classList.remove("playing");
    void figure.offsetWidth; // so that the same animation starts once more
    figure.classList.add("playing");
    clearTimeout(Number(figure.dataset.timer));
    const timer = setTimeout(() => figure.classList.remove("playing"), STEP * (Math.max(...steps) + 2));
    figure.dataset.timer = String(timer);
  };

  element.addEventListener("click", (event) => {
    const figure = event.target.closest(".play")?.closest(".drawing");
    if (figure) play(figure);
  });
  if (still.matches) return;
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        seen.unobserve(entry.target);
        play(entry.target);
      }
    },
    { threshold: 0.6 },
  );
  for (const figure of figures) seen.observe(figure);
}
