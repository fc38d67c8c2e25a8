// A model opened up: what the tabs of the anatomy page share. One pass of a text is described by the server; the
// structure (anatomy-structure.js) and its stages (anatomy-steps.js) are drawn from that description.
// Texts of visitors and models are only ever set as text.
import { make } from "./dom.js";
import { save } from "./exports.js";
import { copy, linkTo, showLink } from "./links.js";

const listeners = new Set();
/** What is shown: the server's description of a pass, what was asked for it, and the part that is picked. */
export const shown = { look: null, asked: null, picked: "" };
let waiting = null; // to abort with
let pending = null; // what was asked for before a view was there

/** Calls back with what has changed: "look", "picked", or "said" with words for the status line. */
export function listen(callback) {
  listeners.add(callback);
  if (shown.look) callback("look");
  if (pending) {
    const { values, options } = pending;
    pending = null;
    ask(values, options);
  }
}

const tell = (what, detail) => listeners.forEach((callback) => callback(what, detail));

/** For a button: runs the model on the text. */
export function show(text, text_pair, model) {
  begin([text, text_pair, model], {});
}

/** What the page opens with, or what its link asks for; `go` is empty if nothing is to be run unasked. */
export function open(text, text_pair, model, go) {
  if (go) begin([text, text_pair, model], { opening: true });
}

function begin(values, options) {
  if (listeners.size) ask(values, options);
  else pending = { values, options };
}

export const problem = (error) =>
  error instanceof TypeError ? "The app does not answer. Try again in a moment." : error.message;

export async function json(response) {
  const answer = await response.json();
  if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
  return answer;
}

export const post = (path, payload, signal) =>
  fetch(`./data/anatomy/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(payload),
    signal,
  });

async function ask([text, text_pair, model], { opening = false }) {
  waiting?.abort();
  const mine = (waiting = new AbortController());
  const asked = { text, text_pair: text_pair ?? "", model };
  if (!text?.trim()) {
    tell("said", { words: "Type some text, then press Show the model.", wrong: true });
    return;
  }
  const began = performance.now();
  let over = false;
  tell("said", { words: "Running the model …", busy: true });
  const follow = setInterval(() => tellLoading(model, () => over || mine.signal.aborted), 1000);
  try {
    const payload = opening ? asked : { ...asked, again: true };
    const look = await json(await post("view", payload, mine.signal));
    if (mine.signal.aborted) return;
    Object.assign(shown, { look, asked, picked: "" });
    if (!opening) address({});
    tell("look");
    tell("said", { words: "", milliseconds: performance.now() - began });
  } catch (error) {
    if (!mine.signal.aborted) tell("said", { words: problem(error), wrong: true });
  } finally {
    over = true;
    clearInterval(follow);
  }
}

async function tellLoading(model, isOver) {
  try {
    const { models } = await (await fetch("./v1/models")).json();
    const found = models.find((one) => one.id === model);
    if (!found || isOver() || found.state === "ready") return;
    const share = found.share == null ? "" : ` ${Math.round(100 * found.share)} %`;
    tell("said", { words: `${found.stage || found.state}${share} …`, busy: true });
  } catch {
    /* the pass itself says what is wrong */
  }
}

/** Picks a part, in whichever tab. */
export function pick(name) {
  shown.picked = name;
  tell("picked");
}

/** A link to what is shown; `more` is what it says beside the text and the model. Null where it is too long. */
function linkWith(more) {
  const asked = { names: ["text", "text_pair", "model"], defaults: { text_pair: "" } };
  const whole = linkTo(
    asked,
    asked.names.map((name) => shown.asked[name]),
  );
  if (!whole) return null;
  const link = new URL(whole);
  for (const [name, value] of Object.entries(more)) link.searchParams.set(name, value);
  return link.href;
}

/** Puts what is shown into the address, so that it is there again after a reload. */
export function address(more) {
  const link = linkWith(more);
  if (link) showLink(link);
}

/** For a button: the link to what is shown goes to the clipboard. */
export async function copyLink(button, more) {
  const link = linkWith(more);
  button.textContent = !link ? "Too long for a link" : (await copy(link, button)) ? "Copied" : "Copy link";
}

/** Runs the pass again where the server has forgotten it. */
export function again() {
  const { text, text_pair, model } = shown.asked;
  ask([text, text_pair, model], {});
}

/** A module by its name; also what textbooks have as a part and the library as several modules. */
export const part = (name) =>
  shown.look.parts.find((one) => one.name === name) ?? shown.look.together?.get(name);
export const fact = (kind) =>
  shown.look.facts[kind] ?? shown.look.facts.other ?? { title: kind, what: "", formula: "" };

// Numbers in words

export const count = (number) => number.toLocaleString("en");
export function short(number) {
  for (const [size, unit] of /** @type {[number, string][]} */ ([
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "K"],
  ]))
    if (number >= size) return `${(number / size).toPrecision(3)} ${unit}`;
  return String(number);
}
export function bytes(number) {
  for (const [size, unit] of /** @type {[number, string][]} */ ([
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
  ]))
    if (number >= size) return `${(number / size).toPrecision(3)} ${unit}`;
  return `${Math.round(number)} bytes`;
}
export const percent = (share) => (share > 0 && share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`);
export const number = (value) => plain(value).replace("-", "−").replace("e−", "e-");
const plain = (value) =>
  value === 0
    ? "0"
    : Math.abs(value) >= 1000 || Math.abs(value) < 0.001
      ? value.toPrecision(3)
      : value.toFixed(3);

// Drawing

/** What the strongest colour stands for: nearly the largest number, as few are many times the others. */
export function strongest(...rows) {
  const sizes = rows.flat().map(Math.abs);
  sizes.sort((one, other) => one - other);
  return sizes[Math.floor(0.98 * (sizes.length - 1))] || sizes.at(-1) || 1;
}

/** Numbers as a strip of cells: orange below 0, green above, stronger for more. `scale` is the strongest. */
export function strip(canvas, values, scale, label, rows = 1) {
  const width = values.length / rows;
  Object.assign(canvas, { width, height: rows });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const pen = canvas.getContext("2d");
  const picture = pen.createImageData(width, rows);
  const dark = document.body.classList.contains("dark");
  const [below, above] = dark ? [[251, 146, 60], [94, 234, 212]] : [[194, 65, 12], [15, 118, 110]]; // prettier-ignore
  values.forEach((value, place) => {
    const share = Math.max(-1, Math.min(1, value / scale));
    const [red, green, blue] = share < 0 ? below : above;
    picture.data.set([red, green, blue, Math.round(255 * Math.abs(share))], 4 * place);
  });
  pen.putImageData(picture, 0, 0);
}

/** A button with words that picks a part. */
export function partButton(name, words, className = "") {
  const button = make("button", `ana-part ${className}`, words);
  button.type = "button";
  button.dataset.name = name;
  button.addEventListener("click", () => pick(name));
  return button;
}

/** Downloads a part's tensor for the text that is shown. */
export async function download(name, format) {
  const response = await post("tensor", { ...shown.asked, part: name, format });
  if (!response.ok) await json(response);
  save(`${name || "network"}.${format}`, await response.blob());
}
