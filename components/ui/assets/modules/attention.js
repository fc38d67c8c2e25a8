// Attention of one look at a text: lines between tokens, a matrix, or all heads at once, drawn on a canvas.
// Layers and heads are counted from 0 here, in links and in the API, from 1 in all that is read.
// Weights come one layer at a time, as bytes; texts of visitors and models are only ever drawn or set as text.
import { make } from "./dom.js";
import { save } from "./exports.js";
import { showCode } from "./frame-code.js";
import { copy, showLink } from "./links.js";
import { Svg } from "./svg.js";

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const percent = (share) =>
  share > 0 && share < 0.0995 ? `${(100 * share).toFixed(1)} %` : `${Math.round(100 * share)} %`;

// What the page wishes to see, maybe before the view is there.
const told = { wish: null, tell: null };

/** For a button: looks at the text; what `view` leaves out stays as it is. */
export function lookAt(view, text, text_pair, model) {
  told.wish = { text, text_pair, model, ...view };
  told.tell?.(told.wish);
}

/**
 * Looks at what a link asks for. `go` is empty if nothing is to be looked at unasked, and says what to show where
 * the link does not.
 */
export function lookAtLink(text, text_pair, model, go) {
  if (go) lookAt({ ...linkedView(JSON.parse(go), location.search), opening: true }, text, text_pair, model);
}

/** What a link's query says of the view, over what is given. */
export function linkedView(given, search) {
  const query = new URLSearchParams(search);
  const view = { ...given };
  for (const name of ["view", "kind"]) if (query.has(name)) view[name] = query.get(name);
  for (const name of ["layer", "head"]) {
    const value = query.get(name) ?? "";
    if (/^\d{1,3}$/.test(value)) view[name] = Number(value);
    if (name === "head" && value === "mean") view.head = value;
  }
  for (const name of ["words", "rollout", "special"])
    if (query.has(name)) view[name] = query.get(name) === "1";
  return view;
}

/** What is drawn as one: the tokens at the places of each group, as the server joins and leaves them out. */
export function items(tokens, groups) {
  return groups.map((places) => ({
    places,
    text: places.map((place) => tokens[place].text).join(""),
    sequence: tokens[places[0]].sequence,
    special: tokens[places[0]].special,
  }));
}

/** @param {import("./component.js").Component} component */
export function start({ element, props }) {
  const $ = (part) => element.querySelector(`[data-part="${part}"]`);
  const canvas = $("canvas"),
    pen = canvas.getContext("2d"),
    stage = $("stage");
  const VIEWS = ["lines", "matrix", "heads"];
  const KEPT = 8; // layers in memory
  let LABEL = 12,
    ROW = 22; // pixels; more on a wide stage
  const KINDS = {
    encoder: "Encoder: the text to itself",
    decoder: "Decoder: each token to those before",
    cross: "Cross: what is written to what was read",
  };

  // What is looked at, and how
  let look = null; // the server's description of it
  let second = null; // of the same text with one token changed
  let asked = null; // what was sent for it
  const state = {
    view: "lines",
    kind: null,
    layer: 0,
    head: /** @type {number | "mean"} */ (0),
    special: true,
    words: false,
    rollout: false,
    pair: "all",
    threshold: 0.05,
    run: "first",
    row: null,
    column: null,
  };
  let shown = null; // what is drawn: rows, columns, values, ...
  let turn = 0;
  const kept = new Map(); // address -> weights

  // Asking

  async function json(response) {
    const answer = await response.json();
    if (answer.error) throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
    return answer;
  }

  async function ask(payload, signal) {
    return json(
      await fetch("./data/attention/view", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(payload),
        signal,
      }),
    );
  }

  let waiting = null; // to abort with
  async function begin({ text, text_pair, model, opening = false, ...wish }) {
    waiting?.abort();
    const mine = (waiting = new AbortController());
    const same = look && asked?.model === model;
    asked = { text, text_pair: text_pair ?? "", model };
    second = null;
    if (!text?.trim()) {
      look = null;
      say("Type some text, then press Show attention.");
      draw();
      return;
    }
    busy(true);
    const follow = setInterval(() => tellLoading(model, mine.signal), 1000);
    try {
      look = await ask(opening ? asked : { ...asked, again: true }, mine.signal);
      if (mine.signal.aborted) return;
      Object.assign(state, { run: "first", row: null, column: null, pair: "all" });
      const kinds = look.stacks.map((stack) => stack.kind);
      if (!kinds.includes(state.kind)) state.kind = kinds[0];
      for (const name of ["view", "kind", "layer", "head", "words", "special", "rollout", "row"])
        if (name in wish) state[name] = wish[name];
      if (!VIEWS.includes(state.view)) state.view = "lines";
      if (!kinds.includes(state.kind)) state.kind = kinds[0];
      if (!("layer" in wish) && !same) state.layer = Math.floor(stackOf(look).layers / 2);
      fit();
      say("");
      controls();
      const body = element.querySelector(".att-body");
      body.classList.add("answered"); // see answers.js
      body.dataset.asked = JSON.stringify([asked.text, asked.text_pair, asked.model]);
      if (!opening && linkToThis()) showLink(linkToThis());
      await show();
    } catch (error) {
      if (mine.signal.aborted) {
        if (waiting === mine) say("Stopped.");
        return;
      }
      look = null;
      say(
        error instanceof TypeError ? "The app does not answer. Try again in a moment." : error.message,
        true,
      );
      draw();
    } finally {
      clearInterval(follow);
      if (waiting === mine) busy(false);
    }
  }

  async function tellLoading(model, signal) {
    try {
      const { models } = await (await fetch("./v1/models", { signal })).json();
      const found = models.find((one) => one.id === model);
      if (found && !signal.aborted && stage.getAttribute("aria-busy") === "true" && found.state !== "ready") {
        const share =
          found.share === null || found.share === undefined ? "" : ` ${Math.round(100 * found.share)} %`;
        say(`${found.stage || found.state}${share} …`);
      }
    } catch {
      /* the look itself says what is wrong */
    }
  }

  function busy(on) {
    stage.setAttribute("aria-busy", on);
    $("stop").hidden = !on;
    if (on) say("Reading the text …");
  }

  function say(words, wrong = false) {
    $("said").replaceChildren(...(words ? [make("p", wrong ? "lane-problem" : "hint", words)] : []));
  }

  const stackOf = (one) => one?.stacks.find((stack) => stack.kind === state.kind) ?? one?.stacks[0];

  function fit() {
    const stack = stackOf(look);
    state.layer = clamp(state.layer, 0, stack.layers - 1);
    state.head = state.head === "mean" ? "mean" : clamp(Number(state.head) || 0, 0, stack.heads - 1);
    if (state.kind === "cross") state.rollout = false;
  }

  // Which tokens are left out and joined, as a query asks for it and the server names its groups.
  const joined = () => `special=${Number(state.special)}&words=${Number(state.words)}`;

  async function bytes(one, name, layer) {
    const address = `./data/attention/${one.key}/${stackOf(one).kind}/${name}?layer=${layer}&${joined()}`;
    if (!kept.has(address)) {
      const response = await fetch(address);
      if (!response.ok) await json(response);
      const shape = response.headers.get("X-Shape").split(",").map(Number);
      kept.set(address, { shape, data: new Uint8Array(await response.arrayBuffer()) });
      while (kept.size > KEPT) kept.delete(kept.keys().next().value);
    }
    const found = kept.get(address);
    kept.delete(address);
    kept.set(address, found); // the latest is the last
    return found;
  }

  // What is to be drawn

  async function show() {
    if (!look) return;
    const mine = ++turn;
    const began = performance.now();
    try {
      const next = state.view === "heads" ? await heads() : await matrix();
      if (mine !== turn) return;
      shown = next;
      draw();
      describe();
      stage.dataset.drawn = String(Number(stage.dataset.drawn ?? 0) + 1); // for whoever waits for it
      stage.dataset.milliseconds = String(Math.round(performance.now() - began));
    } catch (error) {
      if (mine !== turn) return;
      if (error.code === "expired") {
        begin({ ...asked, ...state });
        return;
      }
      say(
        error instanceof TypeError ? "The app does not answer. Try again in a moment." : error.message,
        true,
      );
    }
  }

  async function heads() {
    const { shape, data } = await bytes(look, "thumbnails", 0);
    const stack = stackOf(look);
    return {
      view: "heads",
      layers: shape[0],
      heads: shape[1],
      height: shape[2],
      width: shape[3],
      data,
      stack,
    };
  }

  // One matrix of shares of 255, or of their differences.
  async function matrix() {
    const stack = stackOf(look);
    const part = state.rollout ? "rollout" : "layer";
    const one = picked(await bytes(look, part, state.layer));
    let values = one.values,
      signed = false;
    if (second && state.run !== "first") {
      const other = picked(await bytes(second, part, state.layer));
      if (state.run === "second") values = other.values;
      else {
        values = Float32Array.from(other.values, (value, index) => value - one.values[index]);
        signed = true;
      }
    }
    const described = second && state.run !== "first" ? stackOf(second) : stack;
    const groups = described.groups[joined()];
    const rows = items(described.rows, groups.rows),
      columns = items(described.columns, groups.columns);
    const [from, to] = { all: [null, null], aa: [0, 0], ab: [0, 1], ba: [1, 0], bb: [1, 1] }[state.pair];
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
      view: state.view,
      signed,
      most: most || 1,
      values: cut,
      causal: stack.causal && state.pair === "all",
      rows: down.map((row) => rows[row]),
      columns: across.map((column) => columns[column]),
    };
  }

  function picked({ shape, data }) {
    const size = shape[1] * shape[2];
    if (shape[0] === 1) return { values: data };
    if (state.head !== "mean") return { values: data.subarray(state.head * size, (state.head + 1) * size) };
    const mean = new Float32Array(size);
    for (let head = 0; head < shape[0]; head++)
      for (let index = 0; index < size; index++) mean[index] += data[head * size + index];
    return { values: mean.map((value) => value / shape[0]) };
  }

  // Drawing

  function colours() {
    const style = getComputedStyle(element);
    const of = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
    const dark = document.body.classList.contains("dark");
    return {
      text: of("--body-text-color", "#222"),
      quiet: of("--body-text-color-subdued", "#666"),
      ground: of("--body-background-fill", "#fff"),
      edge: of("--border-color-primary", "#ddd"),
      more: dark ? [94, 234, 212] : [15, 118, 110],
      less: dark ? [251, 146, 60] : [194, 65, 12],
      mark: dark ? "#fbbf24" : "#b45309",
      font: `${LABEL}px ${style.fontFamily}`,
    };
  }

  // How strongly a weight is drawn: small ones are seen too, hence the root.
  const strength = (value) => Math.sqrt(Math.min(1, Math.abs(value) / shown.most));
  const toned = (colour, value, by) => {
    const [r, g, b] = value < 0 ? colour.less : colour.more;
    return `rgba(${r},${g},${b},${by.toFixed(3)})`;
  };

  let place = null; // where things are on the canvas

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(260, stage.clientWidth),
      colour = colours();
    $("tools").hidden = $("side").hidden = $("exports").hidden = !look;
    if (!look || !shown) {
      canvas.style.height = "0";
      $("spacer").style.height = "0";
      return;
    }
    const grow = clamp(width / 560, 1, 1.5);
    LABEL = Math.round(12 * grow);
    ROW = Math.round(22 * grow);
    stage.dataset.row = ROW;
    colour.font = `${LABEL}px ${getComputedStyle(element).fontFamily}`;
    pen.font = colour.font;
    place = { heads: placeHeads, matrix: placeMatrix, lines: placeLines }[shown.view](width);
    const height = Math.min(place.height, shown.view === "lines" ? stage.clientHeight || 560 : place.height);
    canvas.width = Math.round(place.width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${place.width}px`;
    canvas.style.height = `${height}px`;
    $("spacer").style.height = `${Math.max(0, place.height - height)}px`;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(pen, { width: place.width, height, top: shown.view === "lines" ? stage.scrollTop : 0, colour });
  }

  function paint(pen, area) {
    pen.fillStyle = area.colour.ground;
    pen.fillRect(0, 0, area.width, area.height);
    pen.font = area.colour.font;
    pen.textBaseline = "middle";
    ({ heads: paintHeads, matrix: paintMatrix, lines: paintLines })[shown.view](pen, area);
  }

  const longest = (items, most) =>
    Math.min(most, 8 + items.reduce((wide, item) => Math.max(wide, pen.measureText(item.text).width), 0));

  function clipped(pen, text, room) {
    if (pen.measureText(text).width <= room) return text;
    let end = text.length;
    while (end > 1 && pen.measureText(`${text.slice(0, end)}…`).width > room) end = Math.floor(end * 0.85);
    return `${text.slice(0, end)}…`;
  }

  // Lines

  function placeLines(width) {
    const left = longest(shown.rows, width / 4),
      right = longest(shown.columns, width / 4);
    return {
      width,
      height: Math.max(shown.rows.length, shown.columns.length) * ROW + 34,
      left,
      right,
      head: 28,
    };
  }

  function paintLines(pen, { width, height, top, colour }) {
    const { left, right, head } = place;
    const { rows, columns, values } = shown;
    const y = (index) => head + index * ROW + ROW / 2 - top;
    const [from, to] = [left + 4, width - right - 4];
    const picks = state.row;
    const first = picks ?? 0,
      last = picks ?? rows.length - 1;
    for (let row = first; row <= last; row++) {
      const begin = y(row);
      for (let column = 0; column < columns.length; column++) {
        const value = values[row * columns.length + column];
        if (Math.abs(value) < Math.max(state.threshold, 1 / 255)) continue;
        const end = y(column);
        if ((begin < head && end < head) || (begin > height && end > height)) continue;
        pen.strokeStyle = toned(
          colour,
          value,
          picks === null ? 0.15 + 0.75 * strength(value) : 0.35 + 0.65 * strength(value),
        );
        pen.lineWidth = 0.6 + 3.4 * strength(value);
        pen.beginPath();
        pen.moveTo(from, begin);
        pen.lineTo(to, end);
        pen.stroke();
      }
    }
    const seen = (index) => y(index) > -ROW && y(index) < height + ROW;
    rows.forEach((row, index) => {
      if (!seen(index)) return;
      if (index === picks) {
        pen.fillStyle = toned(colour, 1, 0.18);
        pen.fillRect(0, y(index) - ROW / 2, left, ROW);
      }
      pen.fillStyle = row.special ? colour.quiet : colour.text;
      pen.textAlign = "right";
      pen.fillText(clipped(pen, row.text, left - 6), left - 2, y(index));
    });
    columns.forEach((column, index) => {
      if (!seen(index)) return;
      const value = picks === null ? 0 : values[picks * columns.length + index];
      if (value) {
        pen.fillStyle = toned(colour, value, 0.1 + 0.6 * strength(value));
        pen.fillRect(width - right, y(index) - ROW / 2, right, ROW);
      }
      if (index === state.column) {
        pen.strokeStyle = colour.mark;
        pen.lineWidth = 1.5;
        pen.strokeRect(width - right + 1, y(index) - ROW / 2 + 1, right - 2, ROW - 2);
      }
      pen.fillStyle = column.special ? colour.quiet : colour.text;
      pen.textAlign = "left";
      pen.fillText(clipped(pen, column.text, right - 6), width - right + 4, y(index));
    });
    pen.fillStyle = colour.ground;
    pen.fillRect(0, 0, width, head - 4);
    pen.fillStyle = colour.quiet;
    pen.textAlign = "right";
    pen.fillText("reads", left - 2, 12);
    pen.textAlign = "left";
    pen.fillText("from", width - right + 4, 12);
  }

  // Matrix

  function placeMatrix(width) {
    const left = longest(shown.rows, Math.max(120, width / 6)),
      above = longest(shown.columns, Math.max(120, width / 6));
    const cell = clamp(Math.floor((width - left - 8) / Math.max(1, shown.columns.length)), 1, 44);
    const labels = cell >= LABEL;
    const [x, top] = [labels ? left : 8, labels ? above : 8];
    return {
      width: x + cell * shown.columns.length + 8,
      height: top + cell * shown.rows.length + 8,
      x,
      top,
      cell,
      labels,
    };
  }

  const raster = document.createElement("canvas");

  // The cells as a picture of one pixel each: half a million rectangles would take seconds.
  function rastered(values, width, height, colour, shade) {
    raster.width = width;
    raster.height = height;
    const brush = raster.getContext("2d");
    const image = brush.createImageData(width, height);
    for (let index = 0; index < width * height; index++) {
      const value = values[index];
      const tone = value < 0 ? colour.less : colour.more;
      image.data[4 * index] = tone[0];
      image.data[4 * index + 1] = tone[1];
      image.data[4 * index + 2] = tone[2];
      image.data[4 * index + 3] = 255 * shade(value);
    }
    brush.putImageData(image, 0, 0);
    return raster;
  }

  function paintMatrix(pen, { colour }) {
    const { x, top, cell, labels } = place;
    const { rows, columns, values } = shown;
    const least = state.threshold;
    const picture = rastered(values, columns.length, rows.length, colour, (value) =>
      Math.abs(value) < least ? 0 : strength(value),
    );
    pen.imageSmoothingEnabled = false;
    pen.drawImage(picture, x, top, cell * columns.length, cell * rows.length);
    if (shown.causal) hatch(pen, colour);
    pen.strokeStyle = colour.edge;
    pen.lineWidth = 1;
    pen.strokeRect(x - 0.5, top - 0.5, cell * columns.length + 1, cell * rows.length + 1);
    if (labels) {
      rows.forEach((row, index) => {
        pen.fillStyle = index === state.row ? colour.mark : row.special ? colour.quiet : colour.text;
        pen.textAlign = "right";
        pen.fillText(clipped(pen, row.text, x - 8), x - 6, top + cell * (index + 0.5));
      });
      columns.forEach((column, index) => {
        pen.save();
        pen.translate(x + cell * (index + 0.5), top - 6);
        pen.rotate(-Math.PI / 2);
        pen.fillStyle = index === state.column ? colour.mark : column.special ? colour.quiet : colour.text;
        pen.textAlign = "left";
        pen.fillText(clipped(pen, column.text, top - 8), 0, 0);
        pen.restore();
      });
    }
    if (state.row !== null) {
      pen.strokeStyle = colour.mark;
      pen.lineWidth = 1.5;
      pen.strokeRect(x, top + cell * state.row, cell * columns.length, Math.max(2, cell));
      if (state.column !== null)
        pen.strokeRect(x + cell * state.column, top, Math.max(2, cell), cell * rows.length);
    }
  }

  // What a causal model cannot see is no weight of 0: it is marked as out of reach.
  function hatch(pen, colour) {
    const { x, top, cell } = place;
    const size = shown.columns.length;
    pen.save();
    pen.beginPath();
    pen.moveTo(x + cell, top);
    for (let row = 0; row < shown.rows.length; row++) {
      pen.lineTo(x + cell * (row + 1), top + cell * row);
      pen.lineTo(x + cell * (row + 1), top + cell * (row + 1));
    }
    pen.lineTo(x + cell * size, top);
    pen.closePath();
    pen.clip();
    pen.strokeStyle = colour.edge;
    pen.lineWidth = 1;
    pen.beginPath();
    for (let at = -cell * size; at < cell * size; at += 8) {
      pen.moveTo(x + at, top);
      pen.lineTo(x + at + cell * size, top + cell * size);
    }
    pen.stroke();
    pen.restore();
  }

  // All heads

  function placeHeads(width) {
    const gap = 6,
      left = 28;
    const cell = clamp(Math.floor((width - left) / shown.heads) - gap, 14, 84);
    return {
      width: left + shown.heads * (cell + gap),
      height: 22 + shown.layers * (cell + gap),
      cell,
      gap,
      left,
      top: 22,
    };
  }

  function paintHeads(pen, { colour }) {
    const { cell, gap, left, top } = place;
    const { layers, heads, width, height, data } = shown;
    pen.imageSmoothingEnabled = false;
    const size = width * height;
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head < heads; head++) {
        const begin = (layer * heads + head) * size;
        const picture = rastered(data.subarray(begin, begin + size), width, height, colour, (value) =>
          Math.sqrt(value / 255),
        );
        const [x, y] = [left + head * (cell + gap), top + layer * (cell + gap)];
        pen.drawImage(picture, x, y, cell, cell);
        const current = layer === state.layer && head === state.head;
        pen.strokeStyle = current ? colour.mark : colour.edge;
        pen.lineWidth = current ? 2.5 : 1;
        pen.strokeRect(x - 0.5, y - 0.5, cell + 1, cell + 1);
      }
    }
    pen.fillStyle = colour.quiet;
    pen.textAlign = "center";
    for (let head = 0; head < heads; head++)
      pen.fillText(head + 1, left + head * (cell + gap) + cell / 2, 10);
    for (let layer = 0; layer < layers; layer++)
      pen.fillText(layer + 1, left / 2, top + layer * (cell + gap) + cell / 2);
  }

  // What is picked, in words

  const spoken = (item) => (item.special ? `${item.text} (special)` : `“${item.text}”`);

  function describe() {
    const list = $("details");
    const said = $("live");
    const name = state.rollout
      ? `all layers up to ${state.layer + 1}`
      : `layer ${state.layer + 1}, ${state.head === "mean" ? "mean of the heads" : `head ${state.head + 1}`}`;
    canvas.setAttribute(
      "aria-label",
      `Attention, ${name}. Arrow keys move the picked ${state.view === "heads" ? "head" : "tokens"}.`,
    );
    $("title").textContent = `${name[0].toUpperCase()}${name.slice(1)}`;
    const entropy =
      state.head === "mean" || state.rollout ? null : stackOf(look).entropies[state.layer][state.head];
    const most = shown.view === "heads" ? 0 : Math.log2(shown.columns.length);
    $("entropy").textContent =
      entropy === null || !most
        ? ""
        : `Focused or spread out? ${entropy.toFixed(1)} on a scale from 0 (each token reads from a single one) to ${most.toFixed(1)} (from all alike); the entropy in bits.`;
    list.replaceChildren();
    const whole = shown.view !== "heads" && state.row !== null && state.row < shown.rows.length;
    $("edit").hidden = !whole || !editable();
    $("vectors").replaceChildren();
    if (!whole) {
      said.textContent = "";
      list.append(
        make(
          "p",
          "hint",
          shown.view === "heads" ? "Pick a head to open it." : "Pick a token to see where it reads from.",
        ),
      );
      return;
    }
    const { rows, columns, values, signed } = shown;
    const row = Array.from(values.subarray(state.row * columns.length, (state.row + 1) * columns.length));
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
      bar.style.setProperty("--share", String(Math.abs(row[index]) / (signed ? shown.most : 1)));
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
    if (state.column !== null)
      list.append(
        make(
          "p",
          "att-pair",
          `${rows[state.row].text} → ${columns[state.column].text}: ${percent(Math.abs(row[state.column]))}`,
        ),
      );
    $("edited").textContent = columns[at]?.text ?? "";
    drawVectors();
  }

  // Queries and keys of the picked pair

  let vectorTurn = 0;
  async function drawVectors() {
    const mine = ++vectorTurn;
    const into = $("vectors");
    const stack = stackOf(look);
    if (state.row === null || state.column === null) return;
    const explain = (words) => into.replaceChildren(make("p", "hint", words));
    if (!stack.vectors) return explain("This architecture does not show its queries and keys.");
    if (state.head === "mean" || state.rollout || state.words || state.run !== "first")
      return explain("Query and key: pick one head, single tokens and the first run.");
    const query = new URLSearchParams(
      /** @type {any} */ ({
        layer: state.layer,
        head: state.head,
        row: shown.rows[state.row].places[0],
        column: shown.columns[state.column].places[0],
      }),
    );
    try {
      const found = await json(await fetch(`./data/attention/${look.key}/${stack.kind}/vectors?${query}`));
      if (mine !== vectorTurn) return;
      const product = found.query.map((value, index) => value * found.key[index]);
      into.replaceChildren(
        make("h3", "", "Query and key"),
        make(
          "p",
          "hint",
          `The query of ${spoken(shown.rows[state.row])} times the key of ${spoken(shown.columns[state.column])}, number by number. Their sum times ${found.scale.toFixed(3)} is the score ${found.score.toFixed(2)}; the scores of a row become its weights.`,
        ),
      );
      for (const [name, values] of [
        ["query", found.query],
        ["key", found.key],
        ["product", product],
      ])
        into.append(strip(name, values));
    } catch (error) {
      if (mine === vectorTurn) explain(error.message);
    }
  }

  function strip(name, values) {
    const line = make("div", "att-strip"),
      box = document.createElement("canvas"),
      colour = colours();
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

  // Controls

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

  function controls() {
    const stack = stackOf(look);
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
    const seconds =
      look.seconds < 1 ? `${Math.round(1000 * look.seconds)} ms` : `${look.seconds.toFixed(1)} s`;
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

  function set(changes, drop = true) {
    Object.assign(state, changes);
    if (drop && !("row" in changes)) Object.assign(state, { row: null, column: null });
    fit();
    controls();
    show();
  }

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
  $("stop").addEventListener("click", () => waiting?.abort());

  // Pointer and keys

  function at(event) {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [
      event.clientX - box.left,
      event.clientY - box.top + (shown.view === "lines" ? stage.scrollTop : 0),
    ];
    if (shown.view === "heads") {
      const step = place.cell + place.gap;
      const [head, layer] = [Math.floor((x - place.left) / step), Math.floor((y - place.top) / step)];
      return head >= 0 && layer >= 0 && head < shown.heads && layer < shown.layers ? { head, layer } : null;
    }
    if (shown.view === "matrix") {
      const [column, row] = [
        Math.floor((x - place.x) / place.cell),
        Math.floor((y - place.top) / place.cell),
      ];
      if (row < 0 || row >= shown.rows.length || column >= shown.columns.length) return null;
      return { row, column: column < 0 ? null : column };
    }
    const index = Math.floor((y - place.head) / ROW);
    if (x > place.width - place.right)
      return index >= 0 && index < shown.columns.length ? { column: index } : null;
    return index >= 0 && index < shown.rows.length && x < place.width / 2
      ? { row: index, column: null }
      : null;
  }

  let hovered = null;
  canvas.addEventListener("pointermove", (event) => {
    if (!shown) return;
    const found = at(event);
    const name = JSON.stringify(found);
    if (name === hovered) return;
    hovered = name;
    canvas.style.cursor = found ? "pointer" : "default";
    if (!found) {
      $("tip").textContent = "";
      return;
    }
    if (shown.view === "heads")
      $("tip").textContent =
        `Layer ${found.layer + 1}, head ${found.head + 1}: ${shown.stack.entropies[found.layer][found.head].toFixed(2)} bits`;
    else if (found.row !== undefined && found.column !== null && found.column !== undefined)
      $("tip").textContent = pairText(found.row, found.column);
    else if (
      shown.view === "lines" &&
      found.row !== undefined &&
      state.column === null &&
      event.pointerType === "mouse"
    )
      pick({ row: found.row, column: null });
  });
  canvas.addEventListener("pointerleave", () => {
    hovered = null;
    $("tip").textContent = "";
  });

  const pairText = (row, column) =>
    `${shown.rows[row].text} → ${shown.columns[column].text}: ${percent(Math.abs(shown.values[row * shown.columns.length + column]))}`;

  function pick(found) {
    Object.assign(state, found);
    draw();
    describe();
  }

  canvas.addEventListener("click", (event) => {
    const found = shown && at(event);
    if (!found) {
      if (shown && shown.view !== "heads") pick({ row: null, column: null });
      return;
    }
    if (shown.view === "heads") set({ ...found, view: "matrix" });
    else if (found.row === undefined) pick({ row: state.row ?? 0, column: found.column });
    else pick(found);
  });

  canvas.addEventListener("keydown", (event) => {
    if (!shown) return;
    const [down, across] = {
      ArrowDown: [1, 0],
      ArrowUp: [-1, 0],
      ArrowRight: [0, 1],
      ArrowLeft: [0, -1],
      PageDown: [10, 0],
      PageUp: [-10, 0],
    }[event.key] ?? [0, 0];
    if (shown.view === "heads") {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        set({ view: "matrix" });
        return;
      }
      if (!down && !across) return;
      event.preventDefault();
      const head = clamp((state.head === "mean" ? 0 : state.head) + across, 0, shown.heads - 1);
      Object.assign(state, { layer: clamp(state.layer + down, 0, shown.layers - 1), head });
      draw();
      $("live").textContent = $("tip").textContent =
        `Layer ${state.layer + 1}, head ${Number(state.head) + 1}: ${shown.stack.entropies[state.layer][head].toFixed(2)} bits`;
      return;
    }
    if (event.key === "Escape") {
      pick({ row: null, column: null });
      return;
    }
    if (!down && !across) return;
    event.preventDefault();
    const row = state.row === null ? 0 : clamp(state.row + down, 0, shown.rows.length - 1);
    const column = across ? clamp((state.column ?? -1) + across, 0, shown.columns.length - 1) : state.column;
    pick({ row, column });
    if (shown.view === "lines") {
      const y = place.head + row * ROW;
      if (y - ROW < stage.scrollTop || y + 2 * ROW > stage.scrollTop + stage.clientHeight)
        stage.scrollTop = y - stage.clientHeight / 2;
    }
  });

  stage.addEventListener("scroll", () => {
    if (shown?.view === "lines") draw();
  });
  new ResizeObserver(() => {
    if (shown) draw();
  }).observe(stage);
  new MutationObserver(() => {
    if (shown) {
      draw();
      describe();
    }
  }).observe(document.body, { attributes: true, attributeFilter: ["class"] });

  // Edit and see

  // The second run changes what the columns show; what an encoder-decoder writes stays as it was.
  const editable = () =>
    look && (state.kind !== "decoder" || look.stacks.length === 1) && state.run === "first";

  async function edit(token) {
    const picked = shown.columns[state.column ?? strongest()];
    if (!picked) return;
    waiting?.abort();
    const mine = (waiting = new AbortController());
    busy(true);
    try {
      const written = look.stacks.length > 1 ? look.written : asked.text_pair;
      if (look.stacks.length > 1 && !asked.text_pair.trim()) {
        asked = { ...asked, text_pair: written };
        look = await ask(asked, mine.signal);
      }
      second = await ask({ ...asked, text_pair: written, place: picked.places[0], token }, mine.signal);
      say(
        `The second run has ${token.trim() ? `“${token.trim()}”` : "a gap"} in the place of “${picked.text}”.`,
      );
      set({ run: "difference" }, false);
    } catch (error) {
      if (!mine.signal.aborted) say(error.message, true);
    } finally {
      if (waiting === mine) {
        stage.setAttribute("aria-busy", "false");
        $("stop").hidden = true;
      }
    }
  }

  function strongest() {
    const row = Array.from(
      shown.values.subarray(state.row * shown.columns.length, (state.row + 1) * shown.columns.length),
    );
    return row.indexOf(Math.max(...row));
  }

  $("mask").addEventListener("click", () => edit(""));
  $("replace").addEventListener("click", () => edit($("token").value));
  $("token").addEventListener("keydown", (event) => {
    if (event.key === "Enter") edit(event.target.value);
  });

  // Taking it home

  function name() {
    return `attention-${state.kind}-${state.view === "heads" ? "heads" : state.rollout ? `rollout-${state.layer + 1}` : `layer-${state.layer + 1}-head-${state.head === "mean" ? "mean" : state.head + 1}`}`;
  }

  // The whole picture, also what is not in sight.
  function whole(pen) {
    paint(pen, { width: place.width, height: place.height, top: 0, colour: colours() });
  }

  function png() {
    const box = document.createElement("canvas"),
      scale = place.height > 4000 ? 1 : 2;
    box.width = place.width * scale;
    box.height = place.height * scale;
    const pen = box.getContext("2d");
    pen.scale(scale, scale);
    whole(pen);
    box.toBlob((blob) => save(`${name()}.png`, blob));
  }

  function svg() {
    const drawing = new Svg(place.width, place.height, LABEL, (font, text) => {
      pen.font = font;
      return pen.measureText(text);
    });
    whole(drawing);
    save(
      `${name()}.svg`,
      new Blob([new XMLSerializer().serializeToString(drawing.root)], { type: "image/svg+xml" }),
    );
  }

  const EXPORTS = {
    svg,
    png,
    json: () =>
      save(
        `${name()}.json`,
        new Blob(
          [
            JSON.stringify({
              model: look.model,
              kind: state.kind,
              counted: "layer and head from 0, as in the API",
              layer: state.layer,
              head: state.head,
              rollout: state.rollout,
              rows: shown.rows?.map((row) => row.text),
              columns: shown.columns?.map((column) => column.text),
              weights: shown.rows?.map((_, row) =>
                Array.from(
                  shown.values.subarray(row * shown.columns.length, (row + 1) * shown.columns.length),
                  (value) => Number(value.toFixed(4)),
                ),
              ),
              entropies: stackOf(look).entropies,
            }),
          ],
          { type: "application/json" },
        ),
      ),
    npy: async () => {
      const query = `layer=${state.layer}&${joined()}`;
      save(
        `attention-${state.kind}-layer-${state.layer + 1}.npy`,
        await (await fetch(`./data/attention/${look.key}/${stackOf(look).kind}/weights.npy?${query}`)).blob(),
      );
    },
  };
  element.querySelectorAll("[data-attention-export]").forEach((button) =>
    button.addEventListener("click", () => {
      if (shown) EXPORTS[button.dataset.attentionExport]();
    }),
  );

  function linkToThis() {
    const query = new URLSearchParams(
      /** @type {any} */ ({
        ...asked,
        view: state.view,
        kind: state.kind,
        layer: state.layer,
        head: state.head,
        run: "1",
      }),
    );
    for (const flag of ["words", "rollout"]) if (state[flag]) query.set(flag, "1");
    if (!state.special) query.set("special", "0");
    const link = new URL(`${location.pathname}?${query}`, location.origin).href;
    return link.length <= props.longest ? link : null;
  }

  $("embed").addEventListener("click", () => showCode(props.frame, linkToThis()));
  $("copy").addEventListener("click", async () => {
    const answer = (words) => {
      $("copy").textContent = words;
      setTimeout(() => {
        $("copy").textContent = "Copy link";
      }, 2500);
    };
    const link = linkToThis();
    if (!link) answer("Text too long for a link");
    else if (await copy(link, $("copy"))) answer("Link copied");
  });

  told.tell = begin;
  const linked = ["text", "model"].some((name) => new URLSearchParams(location.search).has(name));
  if (told.wish) begin(told.wish);
  else if (!linked) begin({ ...props.opening, opening: true });
}
