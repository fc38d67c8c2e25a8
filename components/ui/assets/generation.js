// The trigger "pick" is what Gradio makes a listener of.
const SHOWN = 12;

element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-pick]");
  if (button) trigger("pick", { picked: JSON.parse(button.dataset.pick) });
});

// [[probability, count]...] of tokens and bins, most likely first, as temperature, top-k, top-p and min-p leave
// them: in that order, as Transformers applies them.
function distribution(data, { temperature, top_k, top_p, min_p }) {
  const entries = [...data.tokens.map(([, logit]) => [logit, 1]), ...[...data.rest].sort((a, b) => b[0] - a[0])];
  const best = entries[0][0];
  let rows = entries.map(([logit, count], place) => [
    temperature > 0 ? Math.exp((logit - best) / temperature) : Number(place === 0),
    count,
  ]);
  const normalise = () => {
    const total = rows.reduce((sum, [share, count]) => sum + share * count, 0);
    rows = rows.map(([share, count]) => [share / total, count]);
  };
  const keep = (test) => { rows = rows.map((row, place) => (test(row, place) ? row : [0, row[1]])); normalise(); };
  normalise();
  if (top_k > 0) keep((row, place) => place < top_k);
  if (top_p < 1) {
    let before = 0;
    const reached = rows.map(([share, count]) => { const was = before; before += share * count; return was; });
    keep((row, place) => reached[place] < top_p);
  }
  if (min_p > 0) { const least = min_p * rows[0][0]; keep(([share]) => share >= least); }
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

function draw(section) {
  const data = JSON.parse(section.dataset.logits);
  const settings = {};
  for (const input of section.querySelectorAll("input")) {
    settings[input.name] = Number(input.value);
    input.previousElementSibling.textContent = input.value;
  }
  const rows = distribution(data, settings);
  const body = section.querySelector("tbody");
  body.replaceChildren(
    ...data.tokens.slice(0, SHOWN).map(([text], place) => {
      const share = rows[place][0];
      const shown = text.replaceAll("\n", "↵").replace(/^ /, "·");
      return row(shown, share, share ? percent(share) : "out", share ? "piece" : "piece out");
    }),
  );
  const named = rows.slice(0, SHOWN).reduce((sum, [share]) => sum + share, 0);
  const others = rows.slice(SHOWN).reduce((sum, [share, count]) => sum + (share ? count : 0), 0);
  body.append(row(`${others.toLocaleString()} others`, 1 - named, percent(Math.max(0, 1 - named)), "others"));
}

element.addEventListener("input", (event) => {
  const section = event.target.closest(".next-token");
  if (section) draw(section);
});
const begin = () => { for (const section of element.querySelectorAll(".next-token")) draw(section); };
// The new value is in the page one frame after it is announced.
watch("value", () => requestAnimationFrame(begin));
begin();
