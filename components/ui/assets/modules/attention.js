// The view of attention: asks for a text's attention, and has it drawn, described, picked and saved.
//
//   attention.js -> controls, picking, exports, links -> details -> drawing -> data
//
// Texts of visitors and models are only ever drawn or set as text.
import { fill, listen as listenToControls } from "./attention-controls.js";
import {
  addressOf,
  ask,
  clamp,
  headsOf,
  matrixOf,
  rowOf,
  stackOf,
  VIEWS,
  weightsCache,
} from "./attention-data.js";
import { describe } from "./attention-details.js";
import { coloursOf, paint, placed } from "./attention-drawing.js";
import { listen as listenToExports } from "./attention-exports.js";
import { linkedView, linkTo } from "./attention-links.js";
import { listen as listenToPicks } from "./attention-picking.js";
import { make } from "./dom.js";
import { showCode } from "./frame-code.js";
import { copy, showLink } from "./links.js";

// What the page asked for, maybe before the view is there.
const told = { asked: null, tell: null };

/** For a button: looks at the text; what `view` leaves out stays as it is. */
export function lookAt(view, text, text_pair, model) {
  told.asked = { text, text_pair, model, ...view };
  told.tell?.(told.asked);
}

/**
 * Looks at what a link asks for. `go` is empty if nothing is to be looked at unasked, and says what to show where
 * the link does not.
 */
export function lookAtLink(text, text_pair, model, go) {
  if (go) lookAt({ ...linkedView(JSON.parse(go), location.search), opening: true }, text, text_pair, model);
}

/** @param {import("./component.js").Component} component */
export function start({ element, props }) {
  const $ = (part) => element.querySelector(`[data-part="${part}"]`);
  const canvas = $("canvas"),
    stage = $("stage");
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
  /** @type {import("./attention-data.js").View} */
  const view = {
    element,
    $,
    state,
    look: null,
    second: null,
    asked: null,
    picture: null,
    place: null,
    draw,
    set,
    pick,
  };
  const weights = weightsCache();
  let turn = 0;

  // Asking

  let waiting = null; // to abort with
  async function begin({ text, text_pair, model, opening = false, ...asked }) {
    waiting?.abort();
    const mine = (waiting = new AbortController());
    const same = view.look && view.asked?.model === model;
    view.asked = { text, text_pair: text_pair ?? "", model };
    view.second = null;
    if (!text?.trim()) {
      view.look = null;
      say("Type some text, then press Show attention.");
      draw();
      return;
    }
    busy(true);
    const follow = setInterval(() => tellLoading(model, mine.signal), 1000);
    try {
      view.look = await ask(opening ? view.asked : { ...view.asked, again: true }, mine.signal);
      if (mine.signal.aborted) return;
      Object.assign(state, { run: "first", row: null, column: null, pair: "all" });
      const kinds = view.look.stacks.map((stack) => stack.kind);
      if (!kinds.includes(state.kind)) state.kind = kinds[0];
      for (const name of ["view", "kind", "layer", "head", "words", "special", "rollout", "row"])
        if (name in asked) state[name] = asked[name];
      if (!VIEWS.includes(state.view)) state.view = "lines";
      if (!kinds.includes(state.kind)) state.kind = kinds[0];
      if (!("layer" in asked) && !same) state.layer = Math.floor(stackOf(view.look, state).layers / 2);
      fit();
      say("");
      fill(view);
      const body = element.querySelector(".att-body");
      body.classList.add("answered"); // see answers.js
      body.dataset.asked = JSON.stringify([view.asked.text, view.asked.text_pair, view.asked.model]);
      if (!opening && linkToThis()) showLink(linkToThis());
      await show();
    } catch (error) {
      if (mine.signal.aborted) {
        if (waiting === mine) say("Stopped.");
        return;
      }
      view.look = null;
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

  function fit() {
    const stack = stackOf(view.look, state);
    state.layer = clamp(state.layer, 0, stack.layers - 1);
    state.head = state.head === "mean" ? "mean" : clamp(Number(state.head) || 0, 0, stack.heads - 1);
    if (state.kind === "cross") state.rollout = false;
  }

  // Drawing

  async function show() {
    if (!view.look) return;
    const mine = ++turn;
    const began = performance.now();
    try {
      const next = state.view === "heads" ? await heads() : await matrix();
      if (mine !== turn) return;
      view.picture = next;
      draw();
      describe(view);
      stage.dataset.drawn = String(Number(stage.dataset.drawn ?? 0) + 1); // for whoever waits for it
      stage.dataset.milliseconds = String(Math.round(performance.now() - began));
    } catch (error) {
      if (mine !== turn) return;
      if (error.code === "expired") {
        begin({ ...view.asked, ...state });
        return;
      }
      say(
        error instanceof TypeError ? "The app does not answer. Try again in a moment." : error.message,
        true,
      );
    }
  }

  async function heads() {
    return headsOf(await weights(addressOf(view.look, state, "thumbnails", 0)), stackOf(view.look, state));
  }

  async function matrix() {
    const name = state.rollout ? "rollout" : "layer";
    const of = (look) => weights(addressOf(look, state, name, state.layer));
    const { look, second } = view;
    const other = state.run === "first" ? null : second;
    return matrixOf(await of(look), other && (await of(other)), stackOf(other ?? look, state), state);
  }

  function draw() {
    const { look, picture } = view;
    $("tools").hidden = $("side").hidden = $("exports").hidden = !look;
    if (!look || !picture) {
      canvas.style.height = "0";
      $("spacer").style.height = "0";
      return;
    }
    const ratio = window.devicePixelRatio || 1,
      pen = canvas.getContext("2d"),
      lines = picture.view === "lines";
    const place = placed(pen, picture, Math.max(260, stage.clientWidth), coloursOf(element).family);
    const height = lines ? Math.min(place.height, stage.clientHeight || 560) : place.height;
    view.place = place;
    stage.dataset.row = place.row;
    canvas.width = Math.round(place.width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${place.width}px`;
    canvas.style.height = `${height}px`;
    $("spacer").style.height = `${Math.max(0, place.height - height)}px`;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint(pen, view, { width: place.width, height, top: lines ? stage.scrollTop : 0 });
  }

  function set(changes, unpick = true) {
    Object.assign(state, changes);
    if (unpick && !("row" in changes)) Object.assign(state, { row: null, column: null });
    fit();
    fill(view);
    show();
  }

  function pick(picked) {
    Object.assign(state, picked);
    draw();
    describe(view);
  }

  stage.addEventListener("scroll", () => {
    if (view.picture?.view === "lines") draw();
  });
  new ResizeObserver(() => {
    if (view.picture) draw();
  }).observe(stage);
  new MutationObserver(() => {
    if (view.picture) pick({});
  }).observe(document.body, { attributes: true, attributeFilter: ["class"] });

  // Edit and see

  async function edit(token) {
    const picked = view.picture.columns[state.column ?? strongest()];
    if (!picked) return;
    waiting?.abort();
    const mine = (waiting = new AbortController());
    busy(true);
    try {
      const written = view.look.stacks.length > 1 ? view.look.written : view.asked.text_pair;
      if (view.look.stacks.length > 1 && !view.asked.text_pair.trim()) {
        view.asked = { ...view.asked, text_pair: written };
        view.look = await ask(view.asked, mine.signal);
      }
      view.second = await ask(
        { ...view.asked, text_pair: written, place: picked.places[0], token },
        mine.signal,
      );
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
    const row = rowOf(view.picture, state.row);
    return row.indexOf(Math.max(...row));
  }

  $("stop").addEventListener("click", () => waiting?.abort());
  $("mask").addEventListener("click", () => edit(""));
  $("replace").addEventListener("click", () => edit($("token").value));
  $("token").addEventListener("keydown", (event) => {
    if (event.key === "Enter") edit(event.target.value);
  });

  // Taking it home

  const linkToThis = () => linkTo(view.asked, state, props.longest);

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

  listenToControls(view);
  listenToPicks(view);
  listenToExports(view);
  told.tell = begin;
  const linked = ["text", "model"].some((name) => new URLSearchParams(location.search).has(name));
  if (told.asked) begin(told.asked);
  else if (!linked) begin({ ...props.opening, opening: true });
}
