// Tokenizations of one text, a lane each, over the same characters. Only the rows in sight are in the page.
// Every text that a visitor or a tokenizer wrote gets there by textContent.
import { make } from "./dom.js";

// What the page asked for, maybe before the lanes are there.
const told = { asked: null, tell: null };

/** Shows what is typed and picked, and what a million tokens cost. */
export function show(text, tokenizers, price) {
  told.asked = { text, tokenizers, price };
  told.tell?.(told.asked);
}

const number = (value) => value.toLocaleString("en");
// Joiners stay where they join; alone they would not be seen.

/* eslint-disable no-control-regex, no-misleading-character-class -- each of them is meant alone */
const HIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\ufeff]|^[\u200c\u200d\ufe00-\ufe0f]+$/g;
/* eslint-enable */
const visible = (text) =>
  text
    .replace(/\r\n|\n|\r/g, "↵")
    .replace(/\t/g, "⇥")
    .replace(/[ \u00a0]/g, "·")
    .replace(HIDDEN, "␣");

// Most cells are one code point of the text; of the others the answer says how many they are.
export function cellsOf(text, wide) {
  const points = Array.from(text);
  const cells = [];
  let at = 0;
  for (const [cell, count] of [...wide, [Infinity, 0]]) {
    while (cells.length < cell && at < points.length) cells.push(points[at++]);
    if (count) {
      cells.push(points.slice(at, at + count).join(""));
      at += count;
    }
  }
  return cells;
}

// Groups as arrays: the cells that each covers and its first token; and the other way round.
export function unpack(lane, count) {
  const size = lane.groups.length / 3;
  const [from, to, first] = [new Uint32Array(size), new Uint32Array(size), new Uint32Array(size + 1)];
  const groupOf = new Uint32Array(lane.ids.length);
  for (let group = 0, cell = 0; group < size; group++) {
    from[group] = cell += lane.groups[3 * group];
    to[group] = cell += lane.groups[3 * group + 1];
    first[group + 1] = first[group] + lane.groups[3 * group + 2];
    groupOf.fill(group, first[group], first[group + 1]);
  }
  const ends = new Uint8Array(count + 1);
  to.forEach((cell, group) => {
    if (cell > from[group]) ends[cell] = 1;
  });
  return { ...lane, from, to, first, groupOf, ends, specials: new Set(lane.special) };
}

const NAMES = {
  " ": "space",
  "\n": "line break",
  "\r\n": "line break",
  "\t": "tab",
  "\u00a0": "no-break space",
};
const spoken = (text) => NAMES[text] ?? (text.startsWith(" ") ? `space ${text.slice(1)}` : text);

/** @param {import("./component.js").Component} component */
export function start({ element, props, trigger }) {
  const [stats, said, box, details, live] = element.querySelectorAll(
    ".lane-stats, .lane-said, .lane-box, .lane-details, .lane-live",
  );
  const LANE = 30,
    GAP = 16,
    OVERSCAN = 2; // pixels, pixels, rows
  const NARROWEST = 11; // pixels that a token needs at least
  const pen = document.createElement("canvas").getContext("2d");
  let view = null; // what is drawn: cells, lanes, rows
  let active = null; // { lane, token }
  let asked = null,
    turn = 0,
    again = 0;
  let price = 0; // of a million tokens, in any currency

  // Asking

  const LONG = 20000,
    PAUSE = 120; // characters; milliseconds without a key before a long text is sent

  function tell(detail) {
    price = Math.max(0, Number(detail.price) || 0);
    if (view && same(detail, asked)) {
      drawStats();
      return;
    }
    clearTimeout(again);
    turn++; // what is still under way is not drawn any more
    const wait = view && detail.text.length > LONG && detail.text !== asked?.text ? PAUSE : 0;
    again = setTimeout(() => ask(detail), wait);
  }

  const same = (one, other) =>
    one.text === other?.text && String(one.tokenizers) === String(other?.tokenizers);

  async function ask({ text, tokenizers }) {
    asked = { text, tokenizers };
    if (!text || !tokenizers?.length) {
      view = null;
      draw(text ? "Pick a tokenizer." : "Type some text: its tokens are shown as you go.");
      return;
    }
    const characters = text.length > props.longest ? Array.from(text).length : 0;
    if (characters > props.longest) {
      view = null;
      draw(
        `The text has ${number(characters)} characters, at most ${number(props.longest)} are allowed. Take a part of it.`,
        true,
      );
      return;
    }
    const mine = ++turn;
    box.setAttribute("aria-busy", "true");
    try {
      const response = await fetch("./data/tokenizations", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ text, tokenizers }),
      });
      const answer = await response.json();
      if (mine !== turn) return;
      if (answer.error) throw new Error(answer.error.message);
      const waited = view?.lanes.some((lane) => lane.waits) ?? false;
      take(answer, text);
      const waits = answer.lanes.some((lane) => lane.waits);
      if (waited && !waits) trigger("ready", {});
      if (waits) again = setTimeout(() => ask(asked), 700);
    } catch (error) {
      if (mine !== turn) return;
      view = null;
      draw(
        error instanceof TypeError ? "The app does not answer. Try again in a moment." : error.message,
        true,
      );
    }
    box.removeAttribute("aria-busy");
  }

  function take(answer, text) {
    const cells = cellsOf(text, answer.wide);
    const begins = new Uint32Array(cells.length + 1); // of each cell, in code points
    cells.forEach((cell, index) => {
      begins[index + 1] = begins[index] + [...cell].length;
    });
    const lanes = answer.lanes.map((lane) => (lane.ids ? unpack(lane, cells.length) : lane));
    const ready = lanes.filter((lane) => lane.ids);
    view = { ...answer, cells, begins, lanes, ready, agreement: compare(ready, cells.length) };
    if (active && !(ready[active.lane]?.ids.length > active.token)) active = null;
    layout();
    draw("");
  }

  // Where all lanes end a token, and where only some do.
  function compare(lanes, count) {
    const votes = new Uint8Array(count + 1);
    lanes.forEach((lane) =>
      lane.ends.forEach((end, cell) => {
        votes[cell] += end;
      }),
    );
    let shared = 0,
      any = 0;
    votes.forEach((vote) => {
      any += Number(vote > 0);
      shared += Number(vote > 0 && vote === lanes.length);
    });
    return { votes, shared, any };
  }

  // Where things go

  const widths = new Map();
  function width(text) {
    if (!widths.has(text)) {
      if (widths.size > 20000) widths.clear();
      widths.set(text, pen.measureText(visible(text)).width);
    }
    return widths.get(text);
  }

  function layout() {
    const style = getComputedStyle(box);
    pen.font = `${style.fontSize} ${style.fontFamily}`;
    const { cells, lanes, ready } = view;
    box.hidden = !ready.length; // a hidden box has no width to lay anything out in
    const wide = Float32Array.from(cells, (cell) => Math.max(NARROWEST, width(cell) + 2));
    const before = new Map(); // cell -> pixels that tokens without characters take in front of it
    for (const lane of ready) {
      const own = new Map();
      lane.from.forEach((from, group) => {
        const tokens = lane.first[group + 1] - lane.first[group];
        const to = lane.to[group];
        if (to === from) {
          const piece = lane.pieces[lane.ids[lane.first[group]]]?.[0] ?? "";
          own.set(from, (own.get(from) ?? 0) + width(piece) + 14);
          return;
        }
        let room = 0;
        for (let cell = from; cell < to; cell++) room += wide[cell];
        const short = tokens * NARROWEST - room;
        if (short > 0) wide[to - 1] += short;
      });
      own.forEach((pixels, cell) => before.set(cell, Math.max(before.get(cell) ?? 0, pixels)));
    }
    view.wide = wide;
    view.before = before;
    view.room = Math.max(120, box.clientWidth - 44);
    view.rows = wrap(view);
    view.rowHeight = lanes.length * LANE + GAP;
  }

  // Rows break after line breaks, else best where every lane ends a token.
  function wrap({ cells, wide, before, room, agreement, ready }) {
    const rows = [];
    let start = 0,
      used = 0,
      good = 0;
    for (let cell = 0; cell < cells.length; cell++) {
      const needs = (before.get(cell) ?? 0) + wide[cell];
      if (used + needs > room && cell > start) {
        const at = good > start ? good : cell;
        rows.push([start, at]);
        start = at;
        used = 0;
        for (let each = start; each < cell; each++) used += (before.get(each) ?? 0) + wide[each];
      }
      used += needs;
      if (agreement.votes[cell + 1] === ready.length) good = cell + 1;
      if (/[\n\r\u2028\u2029]/.test(cells[cell])) {
        rows.push([start, cell + 1]);
        start = cell + 1;
        used = 0;
      }
    }
    const last = before.get(cells.length) ?? 0;
    if (start < cells.length || last || !rows.length) {
      if (used + last > room && start < cells.length) {
        rows.push([start, cells.length]);
        start = cells.length;
      }
      rows.push([start, cells.length]);
    }
    return rows;
  }

  // Drawing

  const area = make("div", "lane-area");
  box.append(area);

  function draw(words, wrong = false) {
    said.replaceChildren(...(words ? [make("p", wrong ? "lane-problem" : "hint", words)] : []));
    drawStats();
    drawRows();
    describe();
  }

  // What so many tokens cost: two figures of small amounts, cents of large ones.
  function cost(tokens) {
    const amount = (tokens * price) / 1e6;
    const digits = amount > 0 && amount < 1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 };
    return amount.toLocaleString("en", digits);
  }

  function drawStats() {
    if (!view) {
      stats.replaceChildren();
      return;
    }
    const table = make("table");
    const head = make("tr");
    const columns = [
      "",
      "Tokenizer",
      "Splits by",
      "Vocabulary",
      "Tokens",
      "Characters per token",
      "Words per token",
      "Share of context",
      "Unknown",
    ];
    if (price) columns.push("Cost");
    columns.forEach((title) => {
      const cell = make("th", "", title);
      cell.scope = "col";
      head.append(cell);
    });
    head.firstChild.append(make("span", "visually-hidden", "Lane"));
    const body = make("tbody");
    view.lanes.forEach((lane, index) => {
      const row = make("tr");
      const name = make("th", "", lane.tokenizer);
      name.scope = "row";
      row.append(make("td", "lane-number", index + 1), name);
      if (!lane.ids) {
        const cell = make("td", lane.error ? "lane-problem" : "", lane.error ?? `${lane.waits} …`);
        cell.colSpan = columns.length - 2;
        row.append(cell);
      } else {
        const own = lane.ids.length - lane.special.length;
        const share = lane.token_limit ? lane.ids.length / lane.token_limit : null;
        const part =
          share === null
            ? "not known"
            : share > 1
              ? `${share.toFixed(1)} times ${number(lane.token_limit)}`
              : `${share < 0.0995 ? (share * 100).toFixed(1) : Math.round(share * 100)} % of ${number(lane.token_limit)}`;
        const cells = [
          lane.family,
          number(lane.vocabulary_size),
          number(lane.ids.length),
          own ? (view.characters / own).toFixed(2) : "–",
          own ? (view.words / own).toFixed(2) : "–",
          part,
          number(lane.unknown),
          ...(price ? [cost(lane.ids.length)] : []),
        ].map((value) => make("td", "", value));
        if (share > 1) cells[5].classList.add("lane-problem");
        row.append(...cells);
      }
      body.append(row);
      if (lane.lost) {
        const note = make(
          "td",
          "lane-problem",
          `${number(lane.lost)} bytes of the text have no token in this vocabulary: they are left out, and places after them in the same word are the library's guess.`,
        );
        note.colSpan = columns.length;
        const line = make("tr");
        line.append(note);
        body.append(line);
      }
    });
    const top = make("thead");
    top.append(head);
    table.append(top, body);
    const { shared, any } = view.agreement;
    const words =
      view.ready.length > 1
        ? `${view.ready.length === 2 ? "Both" : `All ${view.ready.length}`} end a token at ${number(shared)} of ${number(any)} places; a token that not all have has a thick line below.`
        : "";
    stats.dataset.characters = view.characters; // what has been drawn, for whoever waits for it
    stats.replaceChildren(table, ...(words ? [make("p", "hint", words)] : []));
  }

  function drawRows() {
    area.replaceChildren();
    box.hidden = !view?.ready.length;
    if (box.hidden) return;
    area.style.height = `${view.rows.length * view.rowHeight}px`;
    const first = Math.max(0, Math.floor(box.scrollTop / view.rowHeight) - OVERSCAN);
    const last = Math.min(
      view.rows.length,
      Math.ceil((box.scrollTop + box.clientHeight) / view.rowHeight) + OVERSCAN,
    );
    const drawn = document.createDocumentFragment();
    for (let row = first; row < last; row++) drawn.append(drawRow(row));
    area.append(drawn);
    const shown = active && document.getElementById(idOf(active));
    if (shown) box.setAttribute("aria-activedescendant", shown.id);
    else box.removeAttribute("aria-activedescendant");
  }

  const idOf = ({ lane, token }) => `token-${lane}-${token}`;

  function drawRow(index) {
    const [start, end] = view.rows[index];
    const final = index === view.rows.length - 1;
    const line = make("div", "lane-row");
    line.setAttribute("role", "presentation");
    line.style.top = `${index * view.rowHeight}px`;
    // Left edge of each cell of the row, and of the space before it.
    const { wide, before } = view;
    const space = [],
      edge = [];
    let x = 0;
    for (let cell = start; cell <= end; cell++) {
      space.push(x);
      if (cell < end || final) x += before.get(cell) ?? 0;
      edge.push(x);
      if (cell < end) x += wide[cell];
    }
    let place = -1;
    view.lanes.forEach((lane, number) => {
      const mark = make("span", "lane-number", number + 1);
      mark.setAttribute("aria-hidden", "true");
      mark.style.top = `${number * LANE}px`;
      line.append(mark);
      if (!lane.ids) return;
      place++;
      let group = firstGroup(lane, start);
      const taken = new Map();
      for (; group < lane.from.length && lane.from[group] <= end; group++) {
        const [from, to] = [lane.from[group], lane.to[group]];
        const empty = from === to;
        if (empty ? from === end && !final : from === end) continue;
        if (empty && from < start) continue;
        const cut = Math.max(from, start),
          stop = Math.min(to, end);
        let left = empty ? space[from - start] + (taken.get(from) ?? 0) : edge[cut - start];
        const right = empty
          ? left + width(lane.pieces[lane.ids[lane.first[group]]]?.[0] ?? "") + 12
          : edge[stop - start - 1] + wide[stop - 1];
        if (empty) taken.set(from, right + 2 - space[from - start]);
        const tokens = lane.first[group + 1] - lane.first[group];
        const step = (right - left) / tokens;
        for (let each = 0; each < tokens; each++) {
          const token = lane.first[group] + each;
          const node = drawToken(lane, place, token, group, tokens > 1, from < start);
          node.style.cssText = `left:${left}px;width:${step}px;top:${number * LANE}px`;
          if (from < start) node.classList.add("cut-left");
          if (to > end) node.classList.add("cut-right");
          if (!empty && view.ready.length > 1 && differs(from, to)) node.classList.add("differs");
          line.append(node);
          left += step;
        }
        if (tokens > 1) {
          const whole = make("span", "lane-whole", visible(view.cells.slice(cut, stop).join("")));
          whole.style.cssText = `left:${right - tokens * step}px;width:${tokens * step}px;top:${number * LANE}px`;
          whole.setAttribute("aria-hidden", "true");
          line.append(whole);
        }
      }
    });
    return line;
  }

  // Whether another lane has no token over just these characters; spaces in front count for neither.
  function differs(from, to) {
    const trimmed = (start, end) => {
      while (start < end && !view.cells[start].trim()) start++;
      return start;
    };
    const begin = trimmed(from, to);
    return view.ready.some((lane) => {
      for (
        let group = firstGroup(lane, begin);
        group < lane.from.length && lane.from[group] <= begin;
        group++
      ) {
        if (
          lane.to[group] === to &&
          (begin === to ? lane.from[group] === from : trimmed(lane.from[group], to) === begin)
        )
          return false;
      }
      return true;
    });
  }

  // The first group that reaches beyond the start of a cell, or lies there without a width.
  function firstGroup(lane, cell) {
    let low = 0,
      high = lane.from.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lane.to[middle] < cell || (lane.to[middle] === cell && lane.from[middle] < cell)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // A token that goes on from the row before is one option, drawn twice.
  function drawToken(lane, place, token, group, part, goesOn) {
    const { text, label } = about(lane, token, group);
    const node = make("span", `lane-token tone-${token % 2}`, part ? "" : visible(text));
    Object.assign(node.dataset, { lane: place, token });
    node.dir = "auto";
    if (active?.lane === place && active.token === token) node.classList.add("active");
    if (goesOn) {
      node.setAttribute("aria-hidden", "true");
    } else {
      node.id = idOf({ lane: place, token });
      node.setAttribute("role", "option");
      node.setAttribute("aria-label", label);
      node.setAttribute("aria-posinset", token + 1);
      node.setAttribute("aria-setsize", lane.ids.length);
      node.setAttribute("aria-selected", String(node.classList.contains("active")));
    }
    if (lane.specials.has(token)) node.classList.add("special");
    if (lane.ids[token] === lane.unknown_id) node.classList.add("unknown");
    node.title = label;
    return node;
  }

  // What can be said of one token.
  function about(lane, token, group = lane.groupOf[token]) {
    const [from, to] = [lane.from[group], lane.to[group]];
    const [piece, bytes] = lane.pieces[lane.ids[token]] ?? ["", ""];
    const placed = lane.inner[token];
    const [start, end] = placed ?? [view.begins[from], view.begins[to]];
    const text = start === end ? piece : placed ? placed[2] : view.cells.slice(from, to).join("");
    const tokens = lane.first[group + 1] - lane.first[group];
    const nth = token - lane.first[group] + 1;
    const whole = view.cells.slice(from, to).join("");
    const name = tokens > 1 ? `part ${nth} of ${tokens} of ${whole}` : spoken(text);
    return {
      text,
      piece,
      bytes,
      start,
      end,
      id: lane.ids[token],
      special: lane.specials.has(token),
      tokens,
      nth,
      whole,
      label: `${name}, id ${lane.ids[token]}${lane.specials.has(token) ? ", special" : ""}, ${lane.tokenizer}`,
    };
  }

  function describe() {
    if (!view || !active || !view.ready[active.lane]) {
      details.replaceChildren(
        make(
          "p",
          "hint",
          view?.ready.length
            ? "Pick a token for its id, place and bytes: by pointer, or with the arrow keys once the tokens have the focus."
            : "",
        ),
      );
      return;
    }
    const lane = view.ready[active.lane];
    const found = about(lane, active.token);
    const list = make("dl");
    const rows = [
      ["Text", found.start === found.end ? "none of the text" : visible(found.text)],
      ["In the vocabulary", found.piece],
      ["Id", String(found.id)],
      [
        "Place",
        found.start === found.end ? "–" : `characters ${number(found.start)} to ${number(found.end)}`,
      ],
      ["Bytes", found.bytes || "–"],
      [
        "Kind",
        found.special
          ? "special token"
          : found.tokens > 1
            ? `part ${found.nth} of ${found.tokens} of ${visible(found.whole)}`
            : "ordinary token",
      ],
      ["Number", `${number(active.token + 1)} of ${number(lane.ids.length)} of ${lane.tokenizer}`],
    ];
    rows.forEach(([term, value]) => {
      const line = make("div");
      line.append(make("dt", "", term), make("dd", "", value));
      list.append(line);
    });
    details.replaceChildren(list);
    live.textContent = found.label;
  }

  // Pointer and keys

  function choose(lane, token) {
    active = { lane, token };
    const row = rowOf(view.ready[lane], token);
    const top = row * view.rowHeight;
    if (top < box.scrollTop || top + view.rowHeight > box.scrollTop + box.clientHeight) {
      box.scrollTop = Math.max(0, top - box.clientHeight / 3);
    }
    drawRows();
    describe();
  }

  function rowOf(lane, token) {
    const group = lane.groupOf[token];
    const cell = lane.from[group];
    let low = 0,
      high = view.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (view.rows[middle][0] <= cell) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  box.addEventListener("pointerdown", (event) => {
    const node = event.target.closest(".lane-token");
    if (node && view) choose(Number(node.dataset.lane), Number(node.dataset.token));
  });

  box.addEventListener("keydown", (event) => {
    if (!view?.ready.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const { lane, token } = active ?? { lane: 0, token: -1 };
    const tokens = view.ready[lane].ids.length;
    const moves = {
      ArrowRight: () => [lane, Math.min(tokens - 1, token + 1)],
      ArrowLeft: () => [lane, Math.max(0, token - 1)],
      ArrowDown: () => other(lane, token, 1),
      ArrowUp: () => other(lane, token, -1),
      Home: () => [lane, 0],
      End: () => [lane, tokens - 1],
      PageDown: () => [lane, Math.min(tokens - 1, token + 50)],
      PageUp: () => [lane, Math.max(0, token - 50)],
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    choose(...move());
  });

  // The token of another lane over the same character.
  function other(lane, token, step) {
    const next = (lane + step + view.ready.length) % view.ready.length;
    if (token < 0) return [next, 0];
    const cell = view.ready[lane].from[view.ready[lane].groupOf[token]];
    const target = view.ready[next];
    const group = Math.min(firstGroup(target, cell), target.from.length - 1);
    return [next, target.first[group]];
  }

  let frame = 0;
  box.addEventListener("scroll", () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(drawRows);
  });
  new ResizeObserver(() => {
    if (!view?.ready.length || Math.abs(Math.max(120, box.clientWidth - 44) - view.room) < 1) return;
    layout();
    drawRows();
  }).observe(box);

  told.tell = tell;
  draw("");
  if (told.asked) tell(told.asked);
}
