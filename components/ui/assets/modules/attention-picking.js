// Picking tokens and heads in the picture of attention, by pointer and by keys.
import { clamp } from "./attention-data.js";
import { headText, pairText } from "./attention-details.js";
import { found as foundAt } from "./attention-drawing.js";

/** @param {import("./attention-data.js").View} view */
export function listen(view) {
  const { $, state } = view;
  const canvas = $("canvas"),
    stage = $("stage");

  /** @param {MouseEvent} event */
  function at(event) {
    const box = canvas.getBoundingClientRect();
    const scrolled = view.picture.view === "lines" ? stage.scrollTop : 0;
    return foundAt(view, event.clientX - box.left, event.clientY - box.top + scrolled);
  }

  let hovered = null;
  canvas.addEventListener("pointermove", (event) => {
    if (!view.picture) return;
    const found = at(event);
    const name = JSON.stringify(found);
    if (name === hovered) return;
    hovered = name;
    canvas.style.cursor = found ? "pointer" : "default";
    if (!found) {
      $("tip").textContent = "";
      return;
    }
    if (view.picture.view === "heads") $("tip").textContent = headText(view.picture, found.layer, found.head);
    else if (found.row !== undefined && found.column !== null && found.column !== undefined)
      $("tip").textContent = pairText(view.picture, found.row, found.column);
    else if (
      view.picture.view === "lines" &&
      found.row !== undefined &&
      state.column === null &&
      event.pointerType === "mouse"
    )
      view.pick({ row: found.row, column: null });
  });
  canvas.addEventListener("pointerleave", () => {
    hovered = null;
    $("tip").textContent = "";
  });

  canvas.addEventListener("click", (event) => {
    const found = view.picture && at(event);
    if (!found) {
      if (view.picture && view.picture.view !== "heads") view.pick({ row: null, column: null });
      return;
    }
    if (view.picture.view === "heads") view.set({ ...found, view: "matrix" });
    else if (found.row === undefined) view.pick({ row: state.row ?? 0, column: found.column });
    else view.pick(found);
  });

  canvas.addEventListener("keydown", (event) => {
    if (!view.picture) return;
    const [down, across] = {
      ArrowDown: [1, 0],
      ArrowUp: [-1, 0],
      ArrowRight: [0, 1],
      ArrowLeft: [0, -1],
      PageDown: [10, 0],
      PageUp: [-10, 0],
    }[event.key] ?? [0, 0];
    if (view.picture.view === "heads") {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        view.set({ view: "matrix" });
        return;
      }
      if (!down && !across) return;
      event.preventDefault();
      const head = clamp((state.head === "mean" ? 0 : state.head) + across, 0, view.picture.heads - 1);
      Object.assign(state, { layer: clamp(state.layer + down, 0, view.picture.layers - 1), head });
      view.draw();
      $("live").textContent = $("tip").textContent = headText(view.picture, state.layer, head);
      return;
    }
    if (event.key === "Escape") {
      view.pick({ row: null, column: null });
      return;
    }
    if (!down && !across) return;
    event.preventDefault();
    const row = state.row === null ? 0 : clamp(state.row + down, 0, view.picture.rows.length - 1);
    const column = across
      ? clamp((state.column ?? -1) + across, 0, view.picture.columns.length - 1)
      : state.column;
    view.pick({ row, column });
    if (view.picture.view === "lines") {
      const y = view.place.head + row * view.place.row;
      if (
        y - view.place.row < stage.scrollTop ||
        y + 2 * view.place.row > stage.scrollTop + stage.clientHeight
      )
        stage.scrollTop = y - stage.clientHeight / 2;
    }
  });
}
