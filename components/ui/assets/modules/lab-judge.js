// Matrices whose cells are buttons: a click picks one, arrow keys go from one to the next.
/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @param {Event} event @returns {HTMLButtonElement | null} */
const cellOf = (event) => event.target.closest("button[data-row]");

/** @param {import("./component.js").Component} component */
export function start({ element, trigger }) {
  element.addEventListener("click", (event) => {
    const cell = cellOf(event);
    if (!cell) return;
    for (const each of element.querySelectorAll("button[data-row]")) {
      each.setAttribute("aria-pressed", String(each === cell));
    }
    trigger("pick", { row: Number(cell.dataset.row), column: Number(cell.dataset.column) });
  });

  element.addEventListener("keydown", (event) => {
    const cell = cellOf(event);
    const step = STEPS[event.key];
    if (!cell || !step) return;
    event.preventDefault();
    next(cell, step)?.focus();
  });
}

/**
 * The button that comes next in a direction; cells without examples are passed over.
 *
 * @param {HTMLButtonElement} cell
 * @param {[number, number]} step
 * @returns {HTMLButtonElement | null}
 */
function next(cell, [right, down]) {
  const table = cell.closest("table");
  let [x, y] = [cell.closest("td").cellIndex, cell.closest("tr").rowIndex];
  for (;;) {
    x += right;
    y += down;
    const place = table.rows[y]?.cells[x];
    if (!place) return null;
    const button = place.querySelector("button");
    if (button) return button;
  }
}
