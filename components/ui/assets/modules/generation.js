// Generated text: a reply to it, another token in place of one, and the chances of the next token.
import { typed } from "./answers.js";

const SHOWN = 12;

// [[probability, count]...] of tokens and bins, most likely first, as temperature, top-k, top-p and min-p leave
// them: in that order, as Transformers applies them.
export function distribution(data, { temperature, top_k, top_p, min_p }) {
  const entries = [
    ...data.tokens.map(([, logit]) => [logit, 1]),
    ...[...data.rest].sort((a, b) => b[0] - a[0]),
  ];
  const best = entries[0][0];
  let rows = entries.map(([logit, count], place) => [
    temperature > 0 ? Math.exp((logit - best) / temperature) : Number(place === 0),
    count,
  ]);
  const normalise = () => {
    const total = rows.reduce((sum, [share, count]) => sum + share * count, 0);
    rows = rows.map(([share, count]) => [share / total, count]);
  };
  const keep = (test) => {
    rows = rows.map((row, place) => (test(row, place) ? row : [0, row[1]]));
    normalise();
  };
  normalise();
  if (top_k > 0) keep((row, place) => place < top_k);
  if (top_p < 1) {
    let before = 0;
    const reached = rows.map(([share, count]) => {
      const was = before;
      before += share * count;
      return was;
    });
    keep((row, place) => reached[place] < top_p);
  }
  if (min_p > 0) {
    const least = min_p * rows[0][0];
    keep(([share]) => share >= least);
  }
  return rows;
}

function row(label, share, value, className) {
  const line = document.createElement("tr");
  const [head, cell, number] = ["th", "td", "td"].map((tag) => document.createElement(tag));
  const bar = document.createElement("span");
  head.scope = "row";
  head.dir = "auto";
  head.className = className;
  head.textContent = label;
  cell.className = "bar-cell";
  bar.className = "bar";
  bar.style.setProperty("--share", share);
  number.className = "value";
  number.textContent = value;
  cell.append(bar);
  line.append(head, cell, number);
  return line;
}

const percent = (share) => (share > 0 && share < 0.0005 ? "< 0.1 %" : `${(share * 100).toFixed(1)} %`);

const SAMPLING = { temperature: "temperature", top_k: "top-k", top_p: "top-p", min_p: "min-p" };
const OFF = { top_k: 0, top_p: 1, min_p: 0 };
const named = (name, value) =>
  `${SAMPLING[name]} ${value === OFF[name] ? "off" : value}${name === "temperature" && value === 0 ? " (always the likeliest)" : ""}`;

/** @param {import("./component.js").Component} component */
export function start({ element, trigger, watch }) {
  // While a run is under way nothing else is started: its answer would come over the other.
  const running = () => document.querySelector('button[id$="-run"], [id$="-run"] button')?.disabled ?? false;

  element.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pick]");
    if (button && !running()) trigger("pick", { picked: JSON.parse(button.dataset.pick) });
  });

  // A reply goes on from the turns on show, whatever the boxes have by now.
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target.closest(".reply");
    const reply = form?.querySelector("input").value ?? "";
    if (reply.trim() && !running())
      trigger("pick", { picked: { reply, turns: JSON.parse(form.dataset.turns) } });
  });

  // What the options say now; before any has been touched, what the answer was asked with.
  /** @returns {any} */
  function sampling(section) {
    const about = JSON.parse(section.dataset.about).sampling;
    return Object.fromEntries(
      Object.keys(SAMPLING).map((name) => [name, Number(typed()[name] ?? about[name])]),
    );
  }

  function draw(section) {
    const data = JSON.parse(section.dataset.shown ?? section.dataset.logits);
    const settings = sampling(section);
    const words = Object.entries(settings)
      .map(([name, value]) => named(name, value))
      .join(", ");
    section.querySelector(".sampling").textContent = words;
    const rows = distribution(data, settings);
    const free = distribution(data, { temperature: 1, ...OFF });
    const body = section.querySelector("tbody");
    const greedy = settings.temperature === 0; // nothing is drawn: what counts is how far the likeliest is ahead
    body.replaceChildren(
      ...data.tokens.slice(0, SHOWN).map(([text], place) => {
        const share = rows[place][0];
        const shown = text.replaceAll("\n", "↵").replace(/^ /, "·");
        const own = percent(free[place][0]); // before anything is left out
        if (greedy) return row(shown, free[place][0], share ? `taken, ${own}` : own, "piece");
        return row(shown, share, share ? percent(share) : `out (${own})`, share ? "piece" : "piece out");
      }),
    );
    const counted = greedy ? free : rows;
    const first = counted.slice(0, SHOWN).reduce((sum, [share]) => sum + share, 0);
    const others = counted.slice(SHOWN).reduce((sum, [share, count]) => sum + (share ? count : 0), 0);
    if (others)
      body.append(
        row(`${others.toLocaleString()} others`, 1 - first, percent(Math.max(0, 1 - first)), "others"),
      );
  }

  // The chances at another token: the model reads the text before it once more.
  let turn = 0;
  async function move(section, step) {
    const mine = ++turn;
    const about = JSON.parse(section.dataset.about);
    const where = section.querySelector(".where");
    const begin = Array.from(about.text).slice(0, about.starts[step]).join("");
    if (!step) {
      delete section.dataset.shown;
      where.textContent = "at the start";
      draw(section);
      return;
    }
    where.textContent = "(the model is reading …)";
    try {
      const response = await fetch("./v1/text_generation", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ ...about.asked, begin, max_new_tokens: 1, alternatives: 1, temperature: 0 }),
      });
      const answer = await response.json();
      if (mine !== turn) return;
      if (answer.error) throw new Error(answer.error.message);
      const { tokens, rest } = answer.next_token;
      section.dataset.shown = JSON.stringify({
        tokens: tokens.map((one) => [one.text, one.logit]),
        rest: rest.map((one) => [one.logit, one.count]),
      });
      where.textContent = `after “…${begin.slice(-30)}”`;
      draw(section);
    } catch (error) {
      if (mine === turn)
        where.textContent = error instanceof TypeError ? "(the app does not answer)" : `(${error.message})`;
    }
  }

  element.addEventListener(
    "toggle",
    (event) => {
      const section = element.querySelector(".next-token");
      if (!section || !event.target.open || !event.target.matches?.(".step")) return;
      move(section, [...element.querySelectorAll(".step")].indexOf(event.target));
    },
    true,
  );
  element.addEventListener("click", (event) => {
    if (!event.target.closest(".open-options")) return;
    const folded = document.querySelector('[id$="-options"] > button');
    document.querySelector(".settings")?.classList.add("unfolded"); // in a frame (embed.js)
    if (folded && !folded.classList.contains("open")) folded.click();
    folded?.scrollIntoView({ block: "center" });
    folded?.focus();
  });
  const begin = () => {
    for (const section of element.querySelectorAll(".next-token")) draw(section);
  };
  window.addEventListener("tour-asked", begin);
  // The new value is in the page one frame after it is announced.
  watch("value", () => requestAnimationFrame(begin));
  begin();
}
