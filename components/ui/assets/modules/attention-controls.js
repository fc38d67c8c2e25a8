// The controls around the picture of attention.
import { percent, stackOf, VIEWS } from "./attention-data.js";
import { make } from "./dom.js";

/** @typedef {import("./attention-data.js").View} View */

const KINDS = {
  encoder: "Encoder: the text to itself",
  decoder: "Decoder: each token to those before",
  cross: "Cross: what is written to what was read",
};

function options(select, entries, value) {
  select.replaceChildren(
    ...entries.map(([key, title]) => {
      const one = make("option", "", title);
      one.value = key;
      return one;
    }),
  );
  select.value = String(value);
}

/** What the controls show: what there is to pick, and what is picked. @param {View} view */
export function fill({ element, $, look, second, asked, state }) {
  const stack = stackOf(look, state);
  const number = (count) => Array.from({ length: count }, (_, index) => [index, String(index + 1)]);
  options(
    $("kind"),
    look.stacks.map((one) => [one.kind, KINDS[one.kind]]),
    state.kind,
  );
  $("kind-field").hidden = look.stacks.length < 2;
  $("layer").max = stack.layers - 1;
  $("layer").value = state.layer;
  $("layer-said").textContent = `${state.layer + 1} of ${stack.layers}`;
  $("layer").setAttribute("aria-valuetext", $("layer-said").textContent);
  options($("head"), [["mean", "mean of all"], ...number(stack.heads)], state.head);
  $("special").checked = state.special;
  $("words").checked = state.words;
  $("rollout").checked = state.rollout;
  $("rollout").disabled = state.kind === "cross";
  $("pair-field").hidden =
    state.kind === "cross" ||
    !stack.rows.some((piece) => piece.sequence === 1) ||
    !stack.rows.some((piece) => piece.sequence === 0);
  $("pair").value = state.pair;
  $("threshold").value = state.threshold;
  $("threshold-said").textContent = percent(state.threshold);
  VIEWS.forEach((view) => $(view).setAttribute("aria-pressed", String(view === state.view)));
  element.querySelectorAll("[data-explains]").forEach((node) => {
    node.hidden =
      node.dataset.explains !== (state.kind === "cross" && state.view === "lines" ? "cross" : state.view);
  });
  element.querySelectorAll("[data-example]").forEach((node) => {
    node.hidden = asked?.text !== node.dataset.example;
  });
  const one = state.view === "heads";
  for (const part of ["head", "layer", "rollout", "threshold"]) $(`${part}-field`).hidden = one;
  $("head-field").hidden = one || state.rollout;
  $("run-field").hidden = !second;
  $("run").value = state.run;
  $("wrote").textContent = look.written
    ? `${asked.text_pair.trim() ? "Written" : "The model wrote"}: ${look.written}`
    : "";
  $("notes").textContent = look.notes.join(" ");
  const seconds = look.seconds < 1 ? `${Math.round(1000 * look.seconds)} ms` : `${look.seconds.toFixed(1)} s`;
  $("facts").replaceChildren(
    ...[
      ...(look.stored ? ["Stored answer"] : []),
      look.model,
      look.device.toUpperCase(),
      seconds,
      `${look.tokens_used} tokens`,
      `${stack.layers} layers × ${stack.heads} heads`,
    ].map((fact) => make("span", fact === "Stored answer" ? "badge" : "fact", fact)),
  );
}

/** @param {View} view */
export function listen({ $, state, set, draw }) {
  $("kind").addEventListener("change", (event) =>
    set({ kind: event.target.value, layer: 0, head: 0, pair: "all" }),
  );
  $("layer").addEventListener("input", (event) => set({ layer: Number(event.target.value) }, false));
  $("head").addEventListener("change", (event) =>
    set({ head: event.target.value === "mean" ? "mean" : Number(event.target.value) }, false),
  );
  for (const name of ["special", "words", "rollout"])
    $(name).addEventListener("change", (event) => set({ [name]: event.target.checked }));
  $("pair").addEventListener("change", (event) => set({ pair: event.target.value }));
  $("run").addEventListener("change", (event) => set({ run: event.target.value }, false));
  $("threshold").addEventListener("input", (event) => {
    state.threshold = Number(event.target.value);
    $("threshold-said").textContent = percent(state.threshold);
    draw();
  });
  VIEWS.forEach((view) => $(view).addEventListener("click", () => set({ view })));
}
