// What is picked of the picture, in words and bars; and the query and the key that a weight comes from.
import { percent, rowOf, stackOf, vectors } from "./attention-data.js";
import { coloursOf, toned } from "./attention-drawing.js";
import { make } from "./dom.js";

/** @typedef {import("./attention-data.js").View} View */

const spoken = (item) => (item.special ? `${item.text} (special)` : `“${item.text}”`);

/** @param {View} view */
export function describe(view) {
  const { $, look, state, picture } = view;
  const list = $("details");
  const said = $("live");
  const name = state.rollout
    ? `all layers up to ${state.layer + 1}`
    : `layer ${state.layer + 1}, ${state.head === "mean" ? "mean of the heads" : `head ${state.head + 1}`}`;
  $("canvas").setAttribute(
    "aria-label",
    `Attention, ${name}. Arrow keys move the picked ${state.view === "heads" ? "head" : "tokens"}.`,
  );
  $("title").textContent = `${name[0].toUpperCase()}${name.slice(1)}`;
  const entropy =
    state.head === "mean" || state.rollout ? null : stackOf(look, state).entropies[state.layer][state.head];
  const most = picture.view === "heads" ? 0 : Math.log2(picture.columns.length);
  $("entropy").textContent =
    entropy === null || !most
      ? ""
      : `Focused or spread out? ${entropy.toFixed(1)} on a scale from 0 (each token reads from a single one) to ${most.toFixed(1)} (from all alike); the entropy in bits.`;
  list.replaceChildren();
  const whole = picture.view !== "heads" && state.row !== null && state.row < picture.rows.length;
  $("edit").hidden = !whole || !editable(view);
  $("vectors").replaceChildren();
  if (!whole) {
    said.textContent = "";
    list.append(
      make(
        "p",
        "hint",
        picture.view === "heads" ? "Pick a head to open it." : "Pick a token to see where it reads from.",
      ),
    );
    return;
  }
  const { rows, columns, signed } = picture;
  const row = rowOf(picture, state.row);
  const order = row
    .map((_, index) => index)
    .sort((a, b) => Math.abs(row[b]) - Math.abs(row[a]))
    .slice(0, 5)
    .filter((index) => row[index]);
  list.append(
    make("p", "", `${spoken(rows[state.row])} ${signed ? "reads more or less from" : "reads most from"}`),
  );
  const table = make("table", "bars");
  order.forEach((index) => {
    const line = make("tr"),
      label = make("th", "", columns[index].text),
      cell = make("td", "bar-cell"),
      bar = make("span", "bar");
    label.scope = "row";
    bar.style.setProperty("--share", String(Math.abs(row[index]) / (signed ? picture.most : 1)));
    cell.append(bar);
    line.append(
      label,
      cell,
      make(
        "td",
        "value",
        `${signed && row[index] > 0 ? "+" : signed ? "−" : ""}${percent(Math.abs(row[index]))}`,
      ),
    );
    table.append(line);
  });
  list.append(table);
  const best = order[0];
  const at = state.column ?? best;
  said.textContent =
    at === undefined
      ? ""
      : `${spoken(rows[state.row])} to ${spoken(columns[at])}: ${percent(Math.abs(row[at]))}`;
  if (state.column !== null) list.append(make("p", "att-pair", pairText(picture, state.row, state.column)));
  $("edited").textContent = columns[at]?.text ?? "";
  showVectors(view);
}

// Queries and keys of the picked pair

/** @param {View} view */
async function showVectors({ $, element, look, state, picture }) {
  const into = $("vectors");
  const stack = stackOf(look, state);
  if (state.row === null || state.column === null) return;
  const waiting = into.appendChild(make("span")); // gone when something else is described
  const explain = (words) => into.replaceChildren(make("p", "hint", words));
  if (!stack.vectors) return explain("This architecture does not show its queries and keys.");
  if (state.head === "mean" || state.rollout || state.words || state.run !== "first")
    return explain("Query and key: pick one head, single tokens and the first run.");
  try {
    const found = await vectors(look, state, picture);
    if (!waiting.isConnected) return;
    const product = found.query.map((value, index) => value * found.key[index]);
    into.replaceChildren(
      make("h3", "", "Query and key"),
      make(
        "p",
        "hint",
        `The query of ${spoken(picture.rows[state.row])} times the key of ${spoken(picture.columns[state.column])}, number by number. Their sum times ${found.scale.toFixed(3)} is the score ${found.score.toFixed(2)}; the scores of a row become its weights.`,
      ),
    );
    for (const [name, values] of [
      ["query", found.query],
      ["key", found.key],
      ["product", product],
    ])
      into.append(strip(name, values, coloursOf(element)));
  } catch (error) {
    if (waiting.isConnected) explain(error.message);
  }
}

function strip(name, values, colour) {
  const line = make("div", "att-strip"),
    box = document.createElement("canvas");
  const most = Math.max(...values.map(Math.abs)) || 1;
  box.width = values.length * 6;
  box.height = 16;
  const pen = box.getContext("2d");
  values.forEach((value, index) => {
    pen.fillStyle = toned(colour, value, Math.abs(value) / most);
    pen.fillRect(index * 6, 0, 5, 16);
  });
  box.setAttribute("role", "img");
  box.setAttribute(
    "aria-label",
    `${name}: ${values.length} numbers from ${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`,
  );
  line.append(make("span", "", name), box);
  return line;
}

/** @param {import("./attention-data.js").Matrix} matrix @param {number} row @param {number} column */
export const pairText = ({ rows, columns, values }, row, column) =>
  `${rows[row].text} → ${columns[column].text}: ${percent(Math.abs(values[row * columns.length + column]))}`;

/** @param {import("./attention-data.js").Heads} heads @param {number} layer @param {number} head */
export const headText = ({ stack }, layer, head) =>
  `Layer ${layer + 1}, head ${head + 1}: ${stack.entropies[layer][head].toFixed(2)} bits`;

/**
 * The second run changes what the columns show; what an encoder-decoder writes stays as it was.
 *
 * @param {View} view
 */
const editable = ({ look, state }) =>
  look && (state.kind !== "decoder" || look.stacks.length === 1) && state.run === "first";
