// Trigger names below are what Gradio makes listeners of: "load_model", "unload_model".
const memory = element.querySelector(".memory");
const list = element.querySelector(".checkpoints");
const live = element.querySelector("[aria-live]");
const rows = new Map();

const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};
// Only what changed is written, so that a screen reader and the focus are left in peace.
const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };

function build(item) {
  const root = make("article", "checkpoint");
  const names = make("div");
  const state = make("span", "state");
  const facts = make("div", "facts");
  const more = make("span");
  const button = make("button");
  const progress = make("progress");
  const error = make("p", "error");
  names.append(make("h2", "", item.title), make("span", "id", item.id));
  const card = make("a", "", "model card");
  card.href = item.card;
  facts.append(state, more, ...item.facts.map((fact) => make("span", "", fact)), card);
  progress.max = 1;
  progress.setAttribute("aria-label", `Progress of ${item.title}`);
  button.type = "button";
  button.addEventListener("click", () => {
    if (button.dataset.action === "load") trigger("load_model", { id: item.id });
    else trigger("unload_model", { id: item.id });
    button.disabled = true;
  });
  const about = make("p", "", item.about);
  about.style.gridColumn = "1 / -1";
  root.append(names, button, about, facts, progress, error);
  list.append(root);
  return { root, state, more, button, progress, error };
}

function draw() {
  const value = props.value;
  if (!value) return;
  if (!memory.firstChild) memory.append(make("span"), make("meter"));
  const [words, meter] = memory.children;
  write(words, value.memory.words);
  meter.max = value.memory.budget;
  meter.value = value.memory.used;
  meter.setAttribute("aria-label", "Memory used of the budget");
  const there = new Set(value.checkpoints.map((item) => item.id));
  for (const [id, row] of rows) if (!there.has(id)) { row.root.remove(); rows.delete(id); }
  for (const item of value.checkpoints) {
    if (!rows.has(item.id)) rows.set(item.id, build(item));
    const row = rows.get(item.id);
    if (row.root.dataset.state && row.root.dataset.state !== item.state) write(live, `${item.title}: ${item.state_words}`);
    row.root.dataset.state = item.state;
    row.root.dataset.checkpoint = item.id;
    write(row.state, item.state_words);
    write(row.more, item.where);
    write(row.button, item.action === "unload" ? "Unload" : item.action === "busy" ? "Loading" : "Load");
    row.button.dataset.action = item.action;
    row.button.disabled = item.action === "busy";
    row.button.hidden = !item.action;
    row.button.setAttribute("aria-label", `${row.button.textContent} ${item.title}`);
    row.progress.hidden = item.action !== "busy";
    if (item.share === null) row.progress.removeAttribute("value"); else row.progress.value = item.share;
    row.error.hidden = !item.error;
    write(row.error, item.error ?? "");
  }
}
watch("value", draw);
draw();
