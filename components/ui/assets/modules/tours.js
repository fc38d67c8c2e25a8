// Where the visitor has been in the guided tours, kept in this browser alone: links on the home page and on the page of
// the tours go on from there.
const KEY = "tour-place";

/** @param {{tour: string, stop: number}} place */
export function remember(place) {
  try {
    localStorage.setItem(KEY, JSON.stringify(place));
  } catch {
    /* storage may be blocked in an iframe */
  }
}

/** @returns {{tour: string, stop: number} | null} */
export function place() {
  try {
    const { tour, stop } = JSON.parse(localStorage.getItem(KEY));
    return /^[a-z]+$/.test(tour) && Number.isInteger(stop) && stop > 1 ? { tour, stop } : null;
  } catch {
    return null;
  }
}

const found = place();
const address = found && `./?tour=${found.tour}&stop=${found.stop}`;
const listed = found && document.querySelector(`.tour-listed[data-tour="${found.tour}"]`);
const home = /** @type {HTMLAnchorElement} */ (document.querySelector(".hero .tour-start"));
if (found && home) {
  home.href = address;
  home.textContent = `Continue the guided tour at stop ${found.stop}`;
}
if (listed) {
  const link = /** @type {HTMLAnchorElement} */ (listed.querySelector(".tour-continue"));
  link.href = address;
  link.textContent = `Continue at stop ${found.stop}`;
  link.hidden = false;
  listed.querySelector(`[data-stop="${found.stop}"]`)?.setAttribute("aria-current", "step");
}
