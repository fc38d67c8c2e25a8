// The tab that steps through a model: a text's vectors before and after each part, one stage at a time. Stages come
// from the server one by one; those that were seen last, and the next one, are kept.
import {
  address,
  again,
  copyLink,
  count,
  fact,
  json,
  listen,
  number,
  part,
  percent,
  pick,
  post,
  problem,
  shown,
  strip,
  strongest,
} from "./anatomy.js";
import { make } from "./dom.js";

const KEPT = 12; // stages in memory
const ROWS = 24; // of a table
const PLAYED = 1400; // ms
const SIDES = { encoder: "Encoder", decoder: "Decoder" };

/** @param {import("./component.js").Component} component */
export function start({ element, props }) {
  const $ = (name) => element.querySelector(`[data-part="${name}"]`);
  const texts = props.texts;
  const state = { stage: 0, token: 0, head: 0, column: 0 };
  let kept = new Map(); // address -> answer
  let turn = 0;
  let player = null;
  const promoted = new Map(); // what neurons promote

  const stages = () => shown.look.stages;
  const stage = () => stages()[state.stage]; // none for the head, which comes last
  const tokensOf = (one) =>
    shown.look.given.length && (!one || one.side === "decoder") ? shown.look.given : shown.look.tokens;
  const sourcesOf = (one) => (one.kind === "cross-attention" ? shown.look.tokens : tokensOf(one));

  function begin() {
    stop();
    kept = new Map();
    promoted.clear();
    const query = new URLSearchParams(location.search);
    const asked = Number(query.get("stage") ?? 1) - 1;
    Object.assign(state, { stage: asked >= 0 && asked <= stages().length ? asked : 0, head: 0 });
    const tokens = tokensOf(stage());
    const own = tokens.findIndex((token) => !token.special);
    state.token = shown.look.ending.next && !shown.look.given.length ? tokens.length - 1 : Math.max(0, own);
    state.column = Math.max(0, state.token - 1);
    const list = $("stages");
    list.replaceChildren();
    let group = null;
    stages().forEach((one, place) => {
      const words = where(one);
      if (group?.label !== words) {
        group = make("optgroup");
        group.label = words;
        list.append(group);
      }
      group.append(new Option(`${place + 1}. ${fact(one.kind).title}`, String(place)));
    });
    const last = make("optgroup");
    last.label = texts.output;
    last.append(new Option(`${stages().length + 1}. ${ending()}`, String(stages().length)));
    list.append(last);
    $("range").max = String(stages().length + 1);
    $("body").hidden = false;
    show();
  }

  const ending = () => texts.endings[shown.look.ending.kind];
  function where(one) {
    const side = shown.look.given.length ? `${SIDES[one.side]}, ` : "";
    if (one.block >= 0) return `${side}block ${one.block + 1}`;
    const first = stages().findIndex((other) => other.side === one.side && other.block >= 0);
    return `${side}${stages().indexOf(one) < first ? texts.before : texts.after}`;
  }

  // A part that is picked in the drawing is opened here, too.
  function follow() {
    if (!shown.picked) return;
    const found = stages().findIndex((one) => one.part === shown.picked || one.projection === shown.picked);
    if (found >= 0 && found !== state.stage) go(found);
  }

  // Asking

  async function get(path, as = "json") {
    const address = `./data/anatomy/${shown.look.key}/${path}`;
    if (!kept.has(address)) {
      const response = await fetch(address);
      if (!response.ok) await json(response);
      const answer =
        as === "json"
          ? await json(response)
          : {
              shape: response.headers.get("X-Shape").split(",").map(Number),
              scale: Number(response.headers.get("X-Scale")),
              data: new Uint8Array(await response.arrayBuffer()),
            };
      kept.set(address, answer);
      while (kept.size > 3 * KEPT) kept.delete(kept.keys().next().value);
    }
    const found = kept.get(address);
    kept.delete(address);
    kept.set(address, found); // the latest is the last
    return found;
  }

  const query = () => `token=${state.token}&head=${state.head}&column=${state.column}`;

  async function show() {
    const mine = ++turn;
    const began = performance.now();
    const one = stage();
    const tokens = tokensOf(one);
    state.token = Math.min(state.token, tokens.length - 1);
    state.head = Math.min(state.head, Math.max(0, (one?.heads ?? 1) - 1));
    if (one?.heads) state.column = Math.min(state.column, sourcesOf(one).length - 1);
    try {
      const all = one
        ? await Promise.all([
            get(`stages/${state.stage}?${one.heads ? query() : `token=${state.token}`}`),
            get(`stages/${state.stage}/strip?of=${one.writes ? "written" : "after"}`, "bytes"),
            one.heads ? get(`stages/${state.stage}/weights?head=${state.head}`, "bytes") : null,
          ])
        : [await get(`ending?token=${state.token}`)];
      if (mine !== turn) return;
      controls(tokens);
      if (one) draw(one, ...all);
      else drawEnding(all[0]);
      $("stage").dataset.drawn = String(Number($("stage").dataset.drawn ?? 0) + 1); // for whoever waits for it
      $("stage").dataset.shown = String(state.stage);
      $("stage").dataset.milliseconds = String(Math.round(performance.now() - began));
      ahead();
    } catch (error) {
      if (mine !== turn) return;
      stop();
      if (error.code === "expired") again();
      else $("stage").replaceChildren(make("p", "lane-problem", problem(error)));
    }
  }

  // The next stage is asked for before it is stepped to.
  function ahead() {
    const next = stages()[state.stage + 1];
    if (!next) return;
    const wanted = next.heads ? query() : `token=${state.token}`;
    if (
      tokensOf(next).length > state.token &&
      (!next.heads || (state.head < next.heads && state.column < sourcesOf(next).length))
    )
      get(`stages/${state.stage + 1}?${wanted}`).catch(() => {});
  }

  function controls(tokens) {
    const last = stages().length;
    $("stages").value = String(state.stage);
    $("range").value = String(state.stage + 1);
    $("range").setAttribute("aria-valuetext", `stage ${state.stage + 1} of ${last + 1}`);
    $("place").textContent = `${state.stage + 1} of ${last + 1}`;
    $("previous").disabled = state.stage === 0;
    $("next").disabled = state.stage === last;
    const box = $("tokens");
    if (box.dataset.of !== `${shown.look.key}/${tokens === shown.look.given}`) {
      box.dataset.of = `${shown.look.key}/${tokens === shown.look.given}`;
      box.replaceChildren(
        ...tokens.map((token, place) => {
          const button = make("button", "", token.text || "␣");
          button.type = "button";
          button.addEventListener("click", () => {
            state.token = place;
            show();
          });
          return button;
        }),
      );
    }
    [...box.children].forEach((button, place) =>
      button.setAttribute("aria-pressed", String(place === state.token)),
    );
  }

  function go(place) {
    state.stage = Math.max(0, Math.min(stages().length, place));
    $("copy").textContent = "Copy link";
    address(here());
    show();
  }

  const here = () => ({ tab: "steps", stage: String(state.stage + 1) });

  function stop() {
    clearInterval(player);
    player = null;
    $("play").textContent = "▶ Play";
  }

  function play() {
    if (player) return stop();
    if (state.stage === stages().length) state.stage = -1;
    $("play").textContent = "❚❚ Pause";
    const next = () => {
      go(state.stage + 1);
      if (state.stage === stages().length) stop();
    };
    player = setInterval(next, PLAYED);
    next();
  }

  $("previous").addEventListener("click", () => go(state.stage - 1));
  $("next").addEventListener("click", () => go(state.stage + 1));
  $("play").addEventListener("click", play);
  $("copy").addEventListener("click", () => copyLink($("copy"), here()));
  $("range").addEventListener("input", () => go(Number($("range").value) - 1));
  $("stages").addEventListener("change", () => go(Number($("stages").value)));
  $("stage").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.target !== $("stage") || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // a tour has the same keys
    go(state.stage + step);
  });

  // Drawing

  function draw(one, found, all, map) {
    const box = $("stage");
    const about = fact(one.kind);
    const name = tokensOf(one)[state.token].text;
    const title = make("h3", "", `${where(one)}: ${about.title}`);
    title.style.textTransform = "none";
    const heading = title.textContent;
    title.textContent = heading[0].toUpperCase() + heading.slice(1);
    const parts = [title, make("p", "ana-name", one.part), make("p", "", about.what)];
    if (about.formula) parts.push(make("p", "ana-formula", about.formula));
    parts.push(make("p", "", sentence(one, found, name)));
    const scale = strongest(found.before, found.after);
    parts.push(row(`“${name}” before`, found.before, scale));
    if (one.writes) parts.push(row(one.block < 0 ? "added" : "added to the stream", found.written, scale));
    parts.push(row(one.writes || one.on_stream ? "after" : "normalized", found.after, scale));
    parts.push(everyToken(one, all));
    if (one.kind.endsWith("-norm")) parts.push(distribution(found));
    if (found.head) parts.push(...attention(one, found.head, map));
    if (found.neurons) parts.push(...neurons(one, found.neurons));
    box.replaceChildren(...parts);
  }

  function sentence(one, found, name) {
    const length = (values) => Math.hypot(...values);
    const [before, after] = [length(found.before), length(found.after)];
    if (!one.writes)
      return one.on_stream
        ? `The residual stream of “${name}” itself is normalized: its vector had length ${number(before)} and has ${number(after)}.`
        : `The sublayer after this reads “${name}” at length ${number(after)}; the residual stream keeps its vector, of length ${number(before)}.`;
    const added = length(found.written);
    const way =
      Math.abs(found.cosine) < 0.1
        ? "at a right angle to it"
        : found.cosine > 0
          ? "in part in the direction that it had"
          : "in part against the direction that it had";
    if (before === 0)
      return `The residual stream of “${name}” begins here, with a vector of length ${number(after)}.`;
    return `It adds a vector of length ${number(added)} to the residual stream of “${name}”, of length ${number(before)}: ${way} (cosine ${found.cosine.toFixed(2)}). The stream now has length ${number(after)}.`;
  }

  function row(label, values, scale) {
    const box = make("div", "ana-strip");
    const canvas = make("canvas");
    const [low, high] = [Math.min(...values), Math.max(...values)];
    strip(canvas, values, scale, `${label}: ${values.length} numbers from ${number(low)} to ${number(high)}`);
    box.append(make("span", "", `${label} (${number(low)} to ${number(high)})`), canvas);
    return box;
  }

  function everyToken(one, { shape, scale, data }) {
    const box = make("div", "ana-strip");
    const canvas = make("canvas", "ana-all");
    const values = Float32Array.from(data, (value) => (value - 128) / 127);
    const words = `${one.writes ? "added, " : ""}all ${shape[0]} tokens`;
    strip(
      canvas,
      values,
      1,
      `${words}: ${shape[1]} numbers each, strongest colour ${number(scale)}`,
      shape[0],
    );
    canvas.style.height = `${Math.min(320, Math.max(18, shape[0] * 7))}px`;
    box.append(make("span", "", words), canvas);
    return box;
  }

  function distribution(found) {
    const box = make("div", "ana-numbers-box");
    const table = make("table", "ana-numbers");
    const head = make("tr");
    for (const words of [
      "",
      "mean",
      "standard deviation",
      "root mean square",
      "distribution of its numbers",
    ]) {
      const cell = make("th", "", words);
      cell.scope = "col";
      head.append(cell);
    }
    table.append(make("thead"));
    table.tHead.append(head);
    const body = table.createTBody();
    for (const [name, values] of /** @type {[string, number[]][]} */ ([
      ["before", found.before],
      ["after", found.after],
    ])) {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
      const line = body.insertRow();
      const title = make("th", "", name);
      title.scope = "row";
      line.append(title);
      for (const value of [mean, Math.sqrt(Math.max(0, square - mean * mean)), Math.sqrt(square)])
        line.append(make("td", "value", number(value)));
      line.append(histogram(values, mean));
    }
    box.append(table);
    return box;
  }

  function histogram(values, mean) {
    const cell = make("td");
    const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const spread = 4 * Math.sqrt(square) || 1;
    const bins = new Array(41).fill(0);
    for (const value of values)
      bins[Math.max(0, Math.min(40, Math.round(20 + (20 * (value - mean)) / spread)))] += 1;
    const canvas = make("canvas");
    Object.assign(canvas, { width: 164, height: 36 });
    canvas.style.cssText = "width:164px;height:36px";
    canvas.setAttribute("role", "img");
    canvas.setAttribute(
      "aria-label",
      `Distribution within four standard deviations, ${number(mean - spread)} to ${number(mean + spread)}`,
    );
    const pen = canvas.getContext("2d");
    pen.fillStyle = getComputedStyle(element).getPropertyValue("--tour-accent");
    const most = Math.max(...bins);
    bins.forEach((size, place) =>
      pen.fillRect(4 * place, 36 - (34 * size) / most, 3, 2 + (34 * size) / most),
    );
    cell.append(canvas, make("span", "hint", `${number(mean - spread)} to ${number(mean + spread)}`));
    return cell;
  }

  const factor = (value) => (value < 0 ? `(−${(-value).toFixed(2)})` : value.toFixed(2));

  function attention(one, found, map) {
    const own = tokensOf(one)[state.token].text;
    const sources = sourcesOf(one);
    const heading = make("h3", "", "One head, in numbers");
    const tools = make("div", "ana-steps-tools");
    const label = make("label", "", "Head ");
    const select = make("select");
    for (let head = 0; head < one.heads; head++)
      select.append(new Option(`${head + 1} of ${one.heads}`, String(head)));
    select.value = String(state.head);
    select.addEventListener("change", async () => {
      state.head = Number(select.value);
      await show();
      $("stage").querySelector("select")?.focus();
    });
    label.append(select);
    tools.append(label);
    const shows = make("div");
    const key = sources[state.column].text;
    const size = found.query.length;
    const products = found.query.map((value, place) => value * found.key[place]);
    const first = products
      .slice(0, 3)
      .map((_, place) => `${factor(found.query[place])} × ${factor(found.key[place])}`);
    const sum = products.reduce((total, value) => total + value, 0);
    const score = found.scores[state.column];
    const bias = found.hidden[state.column]
      ? "mask: −∞"
      : found.biases[state.column]
        ? `position bias ${number(found.biases[state.column])}`
        : "mask 0";
    const vectors = strongest(found.query, found.key);
    const values = strongest(found.value, found.output);
    shows.append(
      row(`query of “${own}”`, found.query, vectors),
      row(`key of “${key}”`, found.key, vectors),
      make(
        "p",
        "ana-worked",
        `score = (${first.join(" + ")} + … ${size} products) × ${number(found.scale)} = ${number(sum)} × ${number(found.scale)} = ${number(score)};  ${bias};  softmax → ${percent(found.weights[state.column])}`,
      ),
      row(`value of “${key}”`, found.value, values),
      row("weighted values, added up", found.output, values),
    );
    const side = make("div", "ana-map");
    const canvas = make("canvas");
    const shares = Float32Array.from(map.data, (value) => value / 255);
    strip(
      canvas,
      shares,
      1,
      `Softmax weights of head ${state.head + 1}: ${map.shape[0]} queries by ${map.shape[1]} keys`,
      map.shape[0],
    );
    side.append(canvas, make("p", "hint", "Rows are queries, columns are keys; what is masked stays empty."));
    const grid = make("div", "ana-head");
    const left = make("div");
    left.append(shows, weights(found, sources, own));
    grid.append(left, side);
    return [heading, tools, grid];
  }

  function weights(found, sources, own) {
    const box = make("div", "ana-numbers-box");
    const table = make("table", "ana-numbers");
    const head = table.createTHead().insertRow();
    for (const words of ["Key", "score (scaled)", "mask and bias", "softmax", `share that “${own}” reads`]) {
      const cell = make("th", "", words);
      cell.scope = "col";
      head.append(cell);
    }
    const order = [...found.weights.keys()].sort((one, other) => found.weights[other] - found.weights[one]);
    const listed = order.slice(0, ROWS).sort((one, other) => one - other);
    const body = table.createTBody();
    for (const place of listed) {
      const line = body.insertRow();
      if (place === state.column) line.className = "picked";
      const title = make("th");
      title.scope = "row";
      const button = make("button", "", sources[place].text || "␣");
      button.type = "button";
      button.title = "Compare the query with this key";
      button.addEventListener("click", () => {
        state.column = place;
        show();
      });
      title.append(button);
      const share = make("span", "bar");
      share.style.setProperty("--share", String(found.weights[place]));
      const last = make("td");
      last.append(share);
      line.append(
        title,
        make("td", "value", number(found.scores[place])),
        make("td", "value", found.hidden[place] ? "−∞ (masked)" : number(found.biases[place])),
        make("td", "value", percent(found.weights[place])),
        last,
      );
    }
    box.append(table);
    if (order.length > ROWS)
      box.append(make("p", "hint", `The ${ROWS} keys with the largest weights, of ${order.length}.`));
    return box;
  }

  // Neurons, and what they promote

  function neurons(one, found) {
    const heading = make("h3", "", `${count(found.count)} neurons, ${count(found.active)} above 0`);
    const told = make("p", "", texts.neurons);
    const box = make("div", "ana-numbers-box");
    const table = make("table", "ana-numbers");
    const head = table.createTHead().insertRow();
    for (const words of ["Neuron", "after the activation function", "", texts.promotes]) {
      const cell = make("th", "", words);
      cell.scope = "col";
      head.append(cell);
    }
    const most = Math.max(...found.top.map((neuron) => Math.abs(neuron.value))) || 1;
    const body = table.createTBody();
    const cells = found.top.map((neuron) => {
      const line = body.insertRow();
      const title = make("th", "", String(neuron.index));
      title.scope = "row";
      const bar = make("span", "bar");
      bar.style.setProperty("--share", String(Math.abs(neuron.value) / most));
      const middle = make("td");
      middle.append(bar);
      const words = make("td", "", "");
      line.append(title, make("td", "value", number(neuron.value)), middle, words);
      return words;
    });
    box.append(table);
    promotes(one, found, cells);
    return [heading, told, box];
  }

  async function promotes(one, found, cells) {
    const speaks = shown.look.ending.kind === "tokens";
    if (!speaks || (shown.look.given.length && one.side === "encoder")) {
      cells[0].textContent = texts.silent;
      return;
    }
    const indices = found.top.map((neuron) => neuron.index);
    const name = `${one.projection}/${indices}`;
    try {
      if (!promoted.has(name)) {
        const asked = { model: shown.asked.model, part: one.projection, neurons: indices.join() };
        promoted.set(name, (await json(await post("neurons", asked))).found.tokens);
      }
      promoted.get(name).forEach((tokens, place) => {
        cells[place].textContent = tokens.map((token) => token.trim() || "␣").join("  ");
      });
    } catch (error) {
      cells[0].textContent = problem(error);
    }
  }

  // Where it ends

  function drawEnding(found) {
    const box = $("stage");
    const name = tokensOf(null)[state.token].text;
    const about = fact(found.kind === "tokens" ? "unembedding" : "classifier");
    const parts = [
      make("h3", "", ending()),
      make("p", "", found.kind === "vector" ? texts.vector : about.what),
    ];
    if (found.kind === "vector") {
      const values = found.rows[0].logits;
      parts.push(row("mean of all tokens", values, strongest(values)));
    } else {
      if (about.formula) parts.push(make("p", "ana-formula", `${about.formula};  p = softmax(logits)`));
      const titles = {
        tokens: found.next ? `What follows “${name}”` : `In the place of “${name}”`,
        labels: "The text",
        "token-labels": `“${name}”`,
      };
      found.rows.forEach((one, place) => {
        const title = titles[found.kind] ?? ["Where the answer begins", "Where the answer ends"][place];
        parts.push(make("h3", "", title), chances(one));
      });
    }
    box.replaceChildren(...parts);
  }

  function chances(one) {
    const box = make("div", "ana-numbers-box");
    const table = make("table", "ana-numbers");
    const head = table.createTHead().insertRow();
    for (const words of ["Output", "logit", "probability", ""]) {
      const cell = make("th", "", words);
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    one.names.forEach((name, place) => {
      const line = body.insertRow();
      const title = make("th", "", name.trim() ? name : "␣");
      title.scope = "row";
      const bar = make("span", "bar");
      bar.style.setProperty("--share", String(one.probabilities[place]));
      const last = make("td");
      last.append(bar);
      line.append(
        title,
        make("td", "value", number(one.logits[place])),
        make("td", "value", percent(one.probabilities[place])),
        last,
      );
    });
    box.append(table);
    return box;
  }

  $("open").addEventListener("click", () => {
    const one = stage();
    if (one && part(one.part)) {
      pick(one.part);
      document.querySelector(`#${props.tab}-button, [aria-controls="${props.tab}"]`)?.click();
    }
  });

  listen((what) => {
    if (what === "look") begin();
    if (what === "picked") follow();
  });
}
