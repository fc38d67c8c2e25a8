// The dialog behind "Embed": HTML that shows this page with its present input in a frame (components/ui/links.py).
import { make } from "./dom.js";
import { linkTo } from "./links.js";

const THEMES = { light: "Light", dark: "Dark", "": "As the reader's system" };
const LEAST = 200; // pixels
const MOST = 5000;

/** What stands between the quotation marks of an attribute. */
export function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}

/**
 * The code of a frame.
 *
 * @param {{ frame: string, script: string }} templates with {src}, {height}, {title}
 * @param {{ link: string | null, theme: string, height: number, sized: boolean, title: string }} chosen
 */
export function frameCode(templates, { link, theme, height, sized, title }) {
  const address = new URL(link ?? location.origin + location.pathname);
  // A page as it opens has its stored answer; one that is filled in from its address has to run.
  if (address.searchParams.size < 2) address.searchParams.delete("run");
  address.searchParams.set("embed", "1");
  if (theme) address.searchParams.set("__theme", theme);
  const parts = { src: address.href, height: String(height), title };
  const filled = (template) => template.replace(/\{(\w+)\}/g, (_, name) => escaped(parts[name]));
  const script = templates.script.replace("{script}", escaped(new URL("./embed.js", document.baseURI).href));
  return filled(templates.frame) + (sized ? "\n" + script : "");
}

/** @type {HTMLDialogElement | null} */
let dialog = null;
/** @type {Record<"theme" | "height" | "sized" | "code" | "button" | "note", any>} */
let parts = null;
let redraw = () => {};

function labelled(words, field) {
  const label = make("label");
  label.append(words, field);
  return label;
}

function build() {
  dialog = make("dialog");
  dialog.id = "tour-embed";
  dialog.setAttribute("aria-labelledby", "tour-embed-title");
  const title = make("h2", "", "Embed this page");
  title.id = "tour-embed-title";
  const theme = make("select");
  for (const [value, words] of Object.entries(THEMES)) theme.append(new Option(words, value));
  const height = make("input");
  Object.assign(height, { type: "number", min: String(LEAST), max: String(MOST), step: "10", value: "640" });
  const sized = make("input");
  Object.assign(sized, { type: "checkbox", checked: true });
  const code = make("textarea");
  Object.assign(code, { readOnly: true, rows: 7, spellcheck: false });
  code.setAttribute("aria-label", "Code of the frame");
  const note = make("p", "note");
  note.setAttribute("role", "status");
  const button = make("button", "copy-code", "Copy code");
  button.type = "button";
  const close = make("button", "close-code", "Close");
  close.type = "button";
  const settings = make("div", "settings-row");
  settings.append(labelled("Theme", theme), labelled("Height in pixels", height));
  const fit = labelled(" Fit the height to the content, by a script of this app", "");
  fit.className = "fit";
  fit.prepend(sized);
  const row = make("p", "buttons-row");
  row.append(button, close);
  dialog.append(title, settings, fit, code, note, row);
  document.body.append(dialog);
  parts = { theme, height, sized, code, button, note };

  for (const field of [theme, height, sized]) field.addEventListener("input", () => redraw());
  button.addEventListener("click", async () => {
    code.focus();
    code.select();
    if (await copied(code.value)) note.textContent = "Code copied.";
    else
      note.textContent = "The browser does not allow copying here: the code is selected, copy it yourself.";
  });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** For a button: shows the code for the page with what is asked on it. */
export function showFrameCode(setting, ...values) {
  showCode(setting, linkTo(setting, values));
}

/** Shows the code for a link of this page, which is null where it would be too long. */
export function showCode(templates, link) {
  if (!dialog) build();
  redraw = () => {
    const height = Math.min(MOST, Math.max(LEAST, Math.round(Number(parts.height.value)) || 640));
    parts.code.value = frameCode(templates, {
      link,
      theme: parts.theme.value,
      height,
      sized: parts.sized.checked,
      title: document.querySelector("h1")?.textContent?.trim() ?? document.title,
    });
    parts.note.textContent = link
      ? ""
      : "The input is too long for an address: the frame shows the page's example.";
  };
  redraw();
  dialog.showModal();
}
