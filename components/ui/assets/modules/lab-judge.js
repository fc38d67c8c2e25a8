// Matrices whose cells are buttons: a click picks one, arrow keys go from one to the next.

/** @param {import("./component.js").Component} component */
export function start({ element, trigger }) {
  const cells = () => [...element.querySelectorAll("button[data-row]")];

  element.addEventListener("click", (event) => {
    const cell = event.target.closest("button[data-row]");
    if (!cell) return;
    for (const each of cells()) each.setAttribute("aria-pressed", String(each === cell));
    trigger("pick", { row: Number(cell.dataset.row), column: Number(cell.dataset.column) });
  });

  element.addEventListener("keydown", (event) => {
    const cell = event.target.closest("button[data-row]");
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!cell || !step) return;
    event.preventDefault();
    const table = cell.closest("table");
    let { cellIndex: x } = cell.closest("td"),
      { rowIndex: y } = cell.closest("tr");
    // Cells without examples are passed over.
    for (;;) {
      x += step[0];
      y += step[1];
      const next = table.rows[y]?.cells[x];
      if (!next) return;
      const button = next.querySelector("button");
      if (!button) continue;
      button.focus();
      return;
    }
  });
}
