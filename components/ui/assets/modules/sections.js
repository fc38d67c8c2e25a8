// Links to the sections of a page. The browser cannot follow them itself: the app's base address is not the
// page's, and a page that has just been opened is not there yet when the browser looks.

/** @param {import("./component.js").Component} component */
export function start({ element }) {
  const section = () => {
    try {
      return document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return null;
    }
  };
  element.addEventListener("click", (event) => {
    const link = event.target.closest("a[href*='#']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const here = new URL(location.href);
    here.hash = new URL(link.href).hash;
    history.replaceState(history.state, "", here);
    section()?.scrollIntoView();
    section()?.focus();
  });
  if (location.hash) keep(section);
}

const GROWS = 10_000; // ms in which figures above a section may still be drawn

/**
 * Keeps a section in view while what is above it grows, until the visitor does something.
 * @param {() => HTMLElement | null} section
 */
function keep(section) {
  const growth = new ResizeObserver(() => section()?.scrollIntoView());
  growth.observe(document.body);
  const leave = () => growth.disconnect();
  for (const event of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    addEventListener(event, leave, { once: true, passive: true });
  }
  addEventListener("tour-up", () => setTimeout(leave, GROWS), { once: true });
}
