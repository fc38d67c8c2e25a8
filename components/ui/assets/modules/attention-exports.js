// The picture of attention as a file: SVG, PNG, JSON, and a layer's weights as numpy saves them.
import { addressOf, rowOf, stackOf } from "./attention-data.js";
import { paint } from "./attention-drawing.js";
import { save } from "./exports.js";
import { Svg } from "./svg.js";

/** @typedef {import("./attention-data.js").View} View */

/** A file's name, without its end. @param {View} view */
function nameOf({ state }) {
  return `attention-${state.kind}-${state.view === "heads" ? "heads" : state.rollout ? `rollout-${state.layer + 1}` : `layer-${state.layer + 1}-head-${state.head === "mean" ? "mean" : state.head + 1}`}`;
}

// The whole picture, also what is not in sight.
const whole = (pen, view) => paint(pen, view, { width: view.place.width, height: view.place.height, top: 0 });

/** @param {View} view */
function png(view) {
  const { place } = view;
  const box = document.createElement("canvas"),
    scale = place.height > 4000 ? 1 : 2;
  box.width = place.width * scale;
  box.height = place.height * scale;
  const pen = box.getContext("2d");
  pen.scale(scale, scale);
  whole(pen, view);
  box.toBlob((blob) => save(`${nameOf(view)}.png`, blob));
}

/** @param {View} view */
function svg(view) {
  const { place, $ } = view,
    pen = $("canvas").getContext("2d");
  const drawing = new Svg(place.width, place.height, place.label, (font, text) => {
    pen.font = font;
    return pen.measureText(text);
  });
  whole(drawing, view);
  save(
    `${nameOf(view)}.svg`,
    new Blob([new XMLSerializer().serializeToString(drawing.root)], { type: "image/svg+xml" }),
  );
}

/** @param {View} view */
function json(view) {
  const { look, state, picture } = view;
  const numbers = {
    model: look.model,
    kind: state.kind,
    counted: "layer and head from 0, as in the API",
    layer: state.layer,
    head: state.head,
    rollout: state.rollout,
    rows: picture.rows?.map((row) => row.text),
    columns: picture.columns?.map((column) => column.text),
    weights: picture.rows?.map((_, row) => rowOf(picture, row).map((value) => Number(value.toFixed(4)))),
    entropies: stackOf(look, state).entropies,
  };
  save(`${nameOf(view)}.json`, new Blob([JSON.stringify(numbers)], { type: "application/json" }));
}

/** @param {View} view */
async function npy({ look, state }) {
  const response = await fetch(addressOf(look, state, "weights.npy", state.layer));
  save(`attention-${state.kind}-layer-${state.layer + 1}.npy`, await response.blob());
}

const EXPORTS = { svg, png, json, npy };

/** @param {View} view */
export function listen(view) {
  view.element.querySelectorAll("[data-attention-export]").forEach((button) =>
    button.addEventListener("click", () => {
      if (view.picture) EXPORTS[button.dataset.attentionExport](view);
    }),
  );
}
