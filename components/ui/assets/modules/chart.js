// A Plotly chart and what stands below it: the figure gets its name and the width of its place, and passes on what
// is picked in it.

/** @param {import("./component.js").Component} component the HTML below the figure */
export function start({ element, trigger }) {
  const box = element.closest(".chart");
  let graph = null; // Gradio makes a new one whenever the chart changes
  let open = false; // the table, also when a later one takes its place

  function attach() {
    const table = element.querySelector(".chart-numbers");
    if (table) table.open = open;
    const found = box.querySelector(".js-plotly-plot");
    if (!found) {
      graph = null;
      return;
    }
    const label = table?.dataset.label ?? "";
    if (found.getAttribute("aria-label") !== label) found.setAttribute("aria-label", label);
    if (found === graph || !found.on) return;
    graph = found;
    graph.setAttribute("role", "figure");
    // The table below has the same numbers.
    for (const drawing of graph.querySelectorAll(".main-svg")) drawing.setAttribute("aria-hidden", "true");
    graph.on("plotly_click", ({ points: [point] }) => {
      const [row, column] = point.customdata ?? [];
      element.querySelector(`[data-row="${row}"][data-column="${column}"]`)?.click();
    });
    graph.on("plotly_selected", (event) => {
      if (event) trigger("lasso", { points: event.points.map((point) => point.customdata[0]) });
    });
    // A finger scrolls the page, until the mode bar's lasso is chosen.
    if (graph.layout.dragmode && matchMedia("(pointer: coarse)").matches) {
      window.Plotly.relayout(graph, { dragmode: false });
    }
  }

  element.addEventListener("toggle", (event) => (open = event.target.open), true);
  new MutationObserver(attach).observe(box, { childList: true, subtree: true });
  // Plotly itself follows the window alone, not a tab that is opened or a column that moves.
  new ResizeObserver(() => {
    if (graph?.offsetWidth) window.Plotly.Plots.resize(graph);
  }).observe(box);
  attach();
}
