// The list of checkpoints with their states. Updates change rows in place, so that focus stays.

import { make } from "./dom.js";

/** @param {import("./component.js").Component} component */
export function start({ element, props, trigger, watch }) {
  const memory = element.querySelector(".memory");
  const list = element.querySelector(".checkpoints");
  const live = element.querySelector("[aria-live]");
  const rows = new Map(),
    groups = new Map();

  // Only what changed is written, so that a screen reader and the focus are left in peace.
  const write = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };

  function build(item) {
    const root = make("article", "checkpoint");
    const names = make("div");
    const state = make("span", "state");
    const facts = make("div", "facts");
    const more = make("span");
    const button = make("button");
    const progress = make("progress");
    const error = make("p", "error");
    names.append(make("h3", "", item.title), make("span", "id", item.id));
    const card = make("a", "", "model card");
    card.href = item.card;
    const inside = make("a", "", "anatomy");
    inside.href = item.anatomy;
    facts.append(
      state,
      more,
      ...item.facts.map((fact) => make("span", "", fact)),
      card,
      ...(item.anatomy ? [inside] : []),
    );
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
    section(item.group).list.append(root);
    return { root, state, more, button, progress, error };
  }

  // A group of checkpoints that come from one place; folded or not is the visitor's once it is there.
  function section(name) {
    if (groups.has(name)) return groups.get(name);
    const about = props.value.groups.find((group) => group.name === name);
    const root = make("details", "models-group");
    const summary = make("summary");
    const found = {
      root,
      count: make("span", "count"),
      words: make("p", "hint"),
      list: make("div", "models-group-list"),
    };
    root.open = about.open;
    root.dataset.group = name;
    summary.append(make("h2", "", about.title), found.count);
    root.append(summary, found.words, found.list);
    groups.set(name, found);
    const order = props.value.groups.map((group) => group.name);
    const next = order.slice(order.indexOf(name) + 1).find((other) => groups.has(other));
    list.insertBefore(root, next ? groups.get(next).root : null);
    return found;
  }

  // Which are shown, by task and by words of what is written of them; all until something is asked.
  const filter = element.querySelector(".models-filter");
  const asked = { task: null, words: null };

  function ask() {
    asked.task = make("select");
    asked.task.append(new Option("any task", ""));
    for (const [name, title] of Object.entries(props.value.tasks)) asked.task.append(new Option(title, name));
    asked.words = make("input");
    asked.words.type = "search";
    asked.words.placeholder = "MiniLM, German, Apache …";
    for (const [words, control] of [
      ["Task", asked.task],
      ["Filter", asked.words],
    ]) {
      const label = make("label", "", words);
      label.append(control);
      filter.append(label);
      control.addEventListener("input", () => sift(true));
    }
  }

  function sift(changed) {
    const words = asked.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const narrowed = Boolean(words.length || asked.task.value);
    const counts = new Map();
    for (const item of props.value.checkpoints) {
      const text = [item.title, item.id, item.about, ...item.facts].join(" ").toLowerCase();
      const fits =
        words.every((word) => text.includes(word)) &&
        (!asked.task.value || item.tasks.includes(asked.task.value));
      rows.get(item.id).root.hidden = !fits;
      const count = counts.get(item.group) ?? { shown: 0, all: 0 };
      counts.set(item.group, { shown: count.shown + fits, all: count.all + 1 });
    }
    let shown = 0,
      all = 0;
    for (const [name, group] of groups) {
      const count = counts.get(name) ?? { shown: 0, all: 0 };
      write(group.count, narrowed ? `${count.shown} of ${count.all}` : String(count.all));
      group.root.hidden = !count.shown;
      if (changed && narrowed && count.shown) group.root.open = true;
      shown += count.shown;
      all += count.all;
    }
    if (changed) write(live, `${shown} of ${all} checkpoints`);
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
    if (!asked.task) ask();
    const drawn = rows.size > 0;
    const there = new Set(value.checkpoints.map((item) => item.id));
    for (const [id, row] of rows)
      if (!there.has(id)) {
        row.root.remove();
        rows.delete(id);
      }
    for (const item of value.checkpoints) {
      if (!rows.has(item.id)) {
        rows.set(item.id, build(item));
        if (drawn) section(item.group).root.open = true; // what has just been added is seen
      }
      const row = rows.get(item.id);
      if (row.root.dataset.state && row.root.dataset.state !== item.state)
        write(live, `${item.title}: ${item.state_words}`);
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
      if (item.share === null) row.progress.removeAttribute("value");
      else row.progress.value = item.share;
      row.error.hidden = !item.error;
      write(row.error, item.error ?? "");
    }
    for (const about of value.groups) write(section(about.name).words, about.words);
    sift(false);
  }
  watch("value", draw);
  draw();
}
