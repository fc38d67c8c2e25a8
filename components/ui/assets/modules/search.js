// The search of the header: pages, sections, tours, checkpoints and examples, of which each is a link. What there is
// comes from the server when the search is first opened.
import { make } from "./dom.js";
import { keeping } from "./links.js";

const MOST = 12; // results
const KINDS = ["Page", "Tour", "Section", "Example", "Checkpoint", "Model card"];
/** @typedef {{kind: string, title: string, about: string, href: string}} Entry */

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/**
 * The entries that have every word of a query, the best first: those whose title begins with a word come before
 * those that only mention it.
 * @param {Entry[]} entries
 * @param {string} query
 */
export function matches(entries, query) {
  const words = plain(query)
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);
  if (!words.length) return entries.filter((one) => one.kind === "Page").slice(0, MOST);
  const found = [];
  for (const entry of entries) {
    const title = plain(entry.title);
    const parts = title.split(/[^\p{L}\p{N}]+/u);
    const rest = plain(`${entry.kind} ${entry.about}`);
    let score = -KINDS.indexOf(entry.kind) / 10;
    for (const word of words) {
      if (title.startsWith(word)) score += 4;
      else if (parts.some((part) => part.startsWith(word))) score += 3;
      else if (title.includes(word)) score += 2;
      else if (rest.includes(word)) score += 1;
      else score = -Infinity;
    }
    if (score > -Infinity) found.push({ entry, score });
  }
  return found
    .sort((one, other) => other.score - one.score)
    .slice(0, MOST)
    .map(({ entry }) => entry);
}

/** @type {Entry[] | null} */
let entries = null;
/** @type {Entry[]} */
let shown = [];
let active = 0;
/** @type {HTMLDialogElement} */
let dialog = null;
let box, list, said;

function build() {
  dialog = make("dialog");
  dialog.id = "tour-search";
  dialog.setAttribute("aria-label", "Search");
  box = make("input");
  Object.assign(box, {
    type: "search",
    placeholder: "Search pages, models and examples",
    autocomplete: "off",
  });
  for (const [name, value] of Object.entries({
    role: "combobox",
    "aria-label": "Search",
    "aria-expanded": "true",
    "aria-controls": "tour-found",
    "aria-autocomplete": "list",
  }))
    box.setAttribute(name, value);
  list = make("ul");
  list.id = "tour-found";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Results");
  said = make("p", "search-said");
  said.setAttribute("role", "status");
  dialog.append(box, list, said);
  document.body.append(dialog);

  box.addEventListener("input", () => draw());
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) choose((active + step + shown.length) % shown.length);
    else if (event.key === "Enter" && shown[active]) follow(shown[active], event.ctrlKey || event.metaKey);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const index = [...list.children].indexOf(event.target.closest("li"));
    if (index >= 0) follow(shown[index], event.ctrlKey || event.metaKey);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
}

function follow({ href }, elsewhere) {
  const address = new URL(href, document.baseURI);
  keeping(address.searchParams, { page: false });
  dialog.close();
  if (elsewhere) window.open(address, "_blank", "noopener");
  else location.assign(address);
}

function choose(index) {
  active = index;
  [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === index)));
  const item = list.children[index];
  box.setAttribute("aria-activedescendant", item?.id ?? "");
  item?.scrollIntoView({ block: "nearest" });
}

function draw() {
  shown = entries ? matches(entries, box.value) : [];
  list.replaceChildren(
    ...shown.map(({ kind, title, about }, index) => {
      const item = make("li");
      item.id = `tour-found-${index}`;
      item.setAttribute("role", "option");
      item.append(make("span", "kind", kind), make("strong", "", title), make("span", "about", about));
      return item;
    }),
  );
  choose(0);
  if (entries) said.textContent = shown.length ? "" : `Nothing found for “${box.value.trim()}”.`;
}

async function fetched() {
  const response = await fetch(new URL("./data/search", document.baseURI));
  if (!response.ok) throw new Error(response.statusText);
  return (await response.json()).entries;
}

export async function open() {
  if (!dialog) build();
  if (dialog.open) return;
  box.value = "";
  said.textContent = entries ? "" : "Loading …";
  dialog.showModal();
  draw();
  try {
    entries ??= await fetched();
    draw();
  } catch {
    said.textContent = "The search is not available: the server does not answer. Close this and try again.";
  }
}
