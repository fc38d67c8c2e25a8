// What the attention view draws: a description of a text's attention from the server, weights of one layer at a
// time, as bytes, and what becomes of them. Layers and heads are counted from 0 here, from 1 in all that is read.

/**
 * @typedef {{ text: string, special: boolean, sequence: number }} Token
 * @typedef {Token & { places: number[] }} Item tokens that are drawn as one
 * @typedef {{ rows: number[][], columns: number[][] }} Groups
 * @typedef {object} Stack attention of one kind
 * @property {"encoder" | "decoder" | "cross"} kind
 * @property {number} layers
 * @property {number} heads
 * @property {boolean} causal
 * @property {boolean} vectors whether queries and keys are known
 * @property {Token[]} rows
 * @property {Token[]} columns
 * @property {Record<string, Groups>} groups by `joined`
 * @property {number[][]} entropies bits, of each layer and head
 *
 * @typedef {object} Look a text's attention, without its weights
 * @property {string} key
 * @property {Stack[]} stacks
 * @property {string} model
 * @property {string} device
 * @property {string} written
 * @property {string[]} notes
 * @property {number} seconds
 * @property {number} tokens_used
 * @property {boolean} stored
 *
 * @typedef {{ text: string, text_pair: string, model: string }} Asked
 *
 * @typedef {object} State what is shown of it, and what is picked
 * @property {string} view
 * @property {string} kind
 * @property {number} layer
 * @property {number | "mean"} head
 * @property {boolean} special
 * @property {boolean} words
 * @property {boolean} rollout
 * @property {string} pair
 * @property {number} threshold
 * @property {string} run
 * @property {number | null} row
 * @property {number | null} column
 *
 * @typedef {{ shape: number[], data: Uint8Array }} Weights
 *
 * @typedef {object} Matrix one matrix of shares, or of their differences
 * @property {"lines" | "matrix"} view
 * @property {boolean} signed
 * @property {number} most
 * @property {Float32Array} values
 * @property {boolean} causal
 * @property {Item[]} rows
 * @property {Item[]} columns
 *
 * @typedef {object} Heads all heads, as small pictures
 * @property {"heads"} view
 * @property {number} layers
 * @property {number} heads
 * @property {number} height
 * @property {number} width
 * @property {Uint8Array} data
 * @property {Stack} stack
 *
 * @typedef {object} View what the parts of one attention view share; `start` makes it and hands it on
 * @property {HTMLElement} element
 * @property {(part: string) => any} $ an element by its `data-part`
 * @property {State} state
 * @property {Look | null} look
 * @property {Look | null} second of the same text with one token changed
 * @property {Asked | null} asked what was sent for `look`
 * @property {any} picture what is drawn: `Matrix` or `Heads`
 * @property {any} place where it is on the canvas (attention-drawing.js)
 * @property {() => void} draw
 * @property {(changes: Partial<State>, unpick?: boolean) => void} set changes what is shown
 * @property {(picked: Partial<State>) => void} pick
 */

const KEPT = 8; // layers in memory

export const VIEWS = ["lines", "matrix", "heads"];

/** @param {number} value @param {number} low @param {number} high */
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** @param {number} share */
export const percent = (share) =>
  share > 0 && share < 0.0995 ? `${(100 * share).toFixed(1)} %` : `${Math.round(100 * share)} %`;

/** @param {Response} response */
async function json(response) {
  const answer = await response.json();
  if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
  return answer;
}

/**
 * @param {object} payload
 * @param {AbortSignal} signal
 * @returns {Promise<Look>}
 */
export async function ask(payload, signal) {
  return json(
    await fetch("./data/attention/view", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(payload),
      signal,
    }),
  );
}

/**
 * Of a kind; the first where there is none of it.
 *
 * @param {Look} look
 * @param {{ kind: string }} state
 */
export const stackOf = (look, { kind }) => look.stacks.find((stack) => stack.kind === kind) ?? look.stacks[0];

/**
 * Which tokens are left out and joined, as a query asks for it and the server names its groups.
 *
 * @param {State} state
 */
const joined = ({ special, words }) => `special=${Number(special)}&words=${Number(words)}`;

/**
 * @param {Look} look
 * @param {State} state
 * @param {string} name
 * @param {number} layer
 */
export const addressOf = (look, state, name, layer) =>
  `./data/attention/${look.key}/${stackOf(look, state).kind}/${name}?layer=${layer}&${joined(state)}`;

/** A function that fetches weights by their address; those that were asked for last are kept. */
export function weightsCache() {
  /** @type {Map<string, Weights>} */
  const kept = new Map();
  /** @param {string} address */
  return async (address) => {
    let found = kept.get(address);
    if (!found) {
      const response = await fetch(address);
      if (!response.ok) await json(response);
      const shape = response.headers.get("X-Shape").split(",").map(Number);
      found = { shape, data: new Uint8Array(await response.arrayBuffer()) };
    }
    kept.delete(address);
    kept.set(address, found); // the latest is the last
    while (kept.size > KEPT) kept.delete(kept.keys().next().value);
    return found;
  };
}

/**
 * The query of a row's token and the key of a column's.
 *
 * @param {Look} look
 * @param {State} state
 * @param {Matrix} matrix
 * @returns {Promise<{ query: number[], key: number[], scale: number, score: number }>}
 */
export async function vectors(look, state, { rows, columns }) {
  const query = `layer=${state.layer}&head=${state.head}&row=${rows[state.row].places[0]}&column=${columns[state.column].places[0]}`;
  return json(await fetch(`./data/attention/${look.key}/${stackOf(look, state).kind}/vectors?${query}`));
}

/**
 * What is drawn as one: the tokens at the places of each group, as the server joins and leaves them out.
 *
 * @param {Token[]} tokens
 * @param {number[][]} groups
 * @returns {Item[]}
 */
export function items(tokens, groups) {
  return groups.map((places) => ({
    places,
    text: places.map((place) => tokens[place].text).join(""),
    sequence: tokens[places[0]].sequence,
    special: tokens[places[0]].special,
  }));
}

/**
 * Of one head, or the mean of all.
 *
 * @param {Weights} weights
 * @param {number | "mean"} head
 * @returns {Uint8Array | Float32Array}
 */
export function valuesOf({ shape, data }, head) {
  const size = shape[1] * shape[2];
  if (shape[0] === 1) return data;
  if (head !== "mean") return data.subarray(head * size, (head + 1) * size);
  const mean = new Float32Array(size);
  for (let each = 0; each < shape[0]; each++)
    for (let index = 0; index < size; index++) mean[index] += data[each * size + index];
  return mean.map((value) => value / shape[0]);
}

/**
 * @param {Weights} first
 * @param {Weights | null} second of a second run, if that or the difference is to be shown
 * @param {Stack} stack of the run whose tokens are shown
 * @param {State} state
 * @returns {Matrix}
 */
export function matrixOf(first, second, stack, state) {
  let values = valuesOf(second ?? first, state.head);
  const signed = second !== null && state.run === "difference";
  if (signed) {
    const before = valuesOf(first, state.head);
    values = Float32Array.from(values, (value, index) => value - before[index]);
  }
  const groups = stack.groups[joined(state)];
  const rows = items(stack.rows, groups.rows),
    columns = items(stack.columns, groups.columns);
  const [from, to] = { all: [null, null], aa: [0, 0], ab: [0, 1], ba: [1, 0], bb: [1, 1] }[state.pair];
  /** @param {Item[]} all @param {number | null} sequence */
  const wanted = (all, sequence) =>
    all.map((_, index) => index).filter((index) => sequence === null || all[index].sequence === sequence);
  const down = wanted(rows, from),
    across = wanted(columns, to);
  const cut = new Float32Array(down.length * across.length);
  let most = 0;
  down.forEach((row, y) =>
    across.forEach((column, x) => {
      const value = values[row * columns.length + column] / 255;
      cut[y * across.length + x] = value;
      if (Math.abs(value) > most) most = Math.abs(value);
    }),
  );
  return {
    view: state.view === "lines" ? "lines" : "matrix",
    signed,
    most: most || 1,
    values: cut,
    causal: stack.causal && state.pair === "all",
    rows: down.map((row) => rows[row]),
    columns: across.map((column) => columns[column]),
  };
}

/** @param {Weights} weights @param {Stack} stack @returns {Heads} */
export function headsOf({ shape: [layers, heads, height, width], data }, stack) {
  return { view: "heads", layers, heads, height, width, data, stack };
}

/** @param {Matrix} matrix @param {number} row */
export const rowOf = ({ values, columns }, row) =>
  Array.from(values.subarray(row * columns.length, (row + 1) * columns.length));
