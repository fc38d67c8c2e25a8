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
  if (location.hash) requestIdleCallback(() => section()?.scrollIntoView());
}
