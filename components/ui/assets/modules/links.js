// Links that restore a page, and what the buttons do that make them (components/ui/links.py).
const LONGEST_LINK = 8000; // characters: a longer address is refused by many servers
export const same = (one, other) => String(one ?? "") === String(other ?? "");

export function linkTo({ names, defaults }, values) {
  const query = new URLSearchParams();
  names.forEach((name, index) => {
    if (values[index] != null && !same(values[index], defaults[name])) query.set(name, String(values[index]));
  });
  query.set("run", "1");
  const link = new URL(location.pathname + "?" + query, location.origin).href;
  return link.length <= LONGEST_LINK ? link : null;
}

// What an address says of how a page is shown; the stop of a tour belongs to the page alone.
const MANNER = ["embed", "__theme", "present"];
const STOP = ["tour", "stop"];

/** A query with what this page's address says of how it is shown; of the stop too, if it stays this page. */
export function keeping(query, { page = true } = {}) {
  const shown = new URLSearchParams(location.search);
  for (const name of page ? [...MANNER, ...STOP] : MANNER)
    if (shown.has(name)) query.set(name, shown.get(name));
  return query;
}

export function showLink(link) {
  const here = new URL(link);
  keeping(here.searchParams);
  history.replaceState(history.state, "", here);
}

// Copies a link; where the browser does not let a page do so, as in a frame, shows it to be copied by hand. Tells
// whether it was copied.
export async function copy(link, button) {
  // Asked first, or a browser whose host page forbids it complains on its console.
  const allowed = document.featurePolicy?.allowsFeature("clipboard-write") ?? true;
  try {
    if (!allowed) throw new Error("not allowed in this frame");
    await navigator.clipboard.writeText(link);
    return true;
  } catch {
    const place = button.closest(".row, p") ?? button;
    const box = place.parentElement.querySelector(":scope > .tour-link") ?? document.createElement("input");
    Object.assign(box, { className: "tour-link", readOnly: true, value: link, title: "Copy this link" });
    box.setAttribute("aria-label", "Copy this link");
    place.after(box);
    box.focus();
    box.select();
    return false;
  }
}

// What a button says for a while.
function say(button, words, milliseconds) {
  const original = (button.dataset.label ??= button.textContent);
  button.textContent = words;
  setTimeout(() => {
    button.textContent = original;
  }, milliseconds);
}

/** For a button: the link to what the page shows goes into the address bar and the clipboard. */
export async function copyLink(setting, ...values) {
  const button = document.getElementById(setting.button);
  const link = linkTo(setting, values);
  if (!link) {
    say(button, "Text too long for a link", 2500);
    return;
  }
  showLink(link);
  if (await copy(link, button)) say(button, "Link copied", 2500);
}

/** For a button: opens the tokenizers page with a text and the tokenizer of a model. */
export function openTokens({ page, button }, text, model) {
  const query = new URLSearchParams({ text, tokenizers: model ?? "" });
  keeping(query, { page: false });
  const link = new URL(`./${page}?${query}`, location.href).href;
  if (link.length <= LONGEST_LINK) window.open(link, "_blank", "noopener");
  else say(document.getElementById(button), "Text too long for a link: paste it there", 4000);
}

/** Presses a button once the page is up, if the link asks for it. */
export function pressRun(button) {
  if (new URLSearchParams(location.search).get("run") === "1") document.getElementById(button)?.click();
}
