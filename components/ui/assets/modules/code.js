// A box of code: drawn when it is unfolded, for most are folded away (components/ui/code_box.py).

import { make } from "./dom.js";

const LONGEST = 40_000; // characters that are coloured
const WORDS = {
  python:
    "and as assert async await break class continue def del elif else except False finally for from if import in is lambda None not or pass raise return True try while with yield",
  json: "true false null",
  shell: "",
};
const COMMENT = /#[^\n]*/,
  STRING = /"""[^]*?"""|"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'/,
  NUMBER = /(?<![\w.])-?\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?\b/;

/**
 * The parts of a text, each with what it is: "comment", "string", "keyword", "number", or "" for the rest.
 * @param {string} text
 * @param {"python" | "json" | "shell"} language
 * @returns {[string, string][]}
 */
export function parts(text, language) {
  const words = WORDS[language] ? String.raw`\b(?:${WORDS[language].replaceAll(" ", "|")})\b` : "(?!)";
  const comment = language === "json" ? "(?!)" : COMMENT.source;
  const kinds = { comment, string: STRING.source, keyword: words, number: NUMBER.source };
  const named = Object.entries(kinds).map(([kind, source]) => `(?<${kind}>${source})`);
  /** @type {[string, string][]} */
  const found = [];
  let end = 0;
  for (const match of text.matchAll(new RegExp(named.join("|"), "g"))) {
    if (match.index > end) found.push(["", text.slice(end, match.index)]);
    const [kind] = Object.entries(match.groups).find(([, part]) => part !== undefined);
    found.push([kind, match[0]]);
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push(["", text.slice(end)]);
  return found;
}

/** @param {import("./component.js").Component} component */
export function start({ element, props, watch }) {
  const code = element.querySelector("code");
  let seen = false,
    drawn = /** @type {string | null} */ (null);
  const draw = () => {
    const text = String(props.value ?? "");
    if (!seen || text === drawn) return;
    drawn = text;
    const coloured = text.length <= LONGEST ? parts(text, props.language) : [["", text]];
    code.replaceChildren(...coloured.map(([kind, part]) => (kind ? make("span", kind, part) : part)));
  };
  new IntersectionObserver(
    (entries) => {
      seen = entries.at(-1).isIntersecting;
      draw();
    },
    { rootMargin: "100000px" }, // anywhere on the page, as long as it is not folded away
  ).observe(element);
  watch("value", draw);
  // Copied is what it is by now, also in the moment in which a tab has been opened and nothing is drawn yet.
  element.addEventListener(
    "click",
    () => {
      seen = true;
      draw();
    },
    true,
  );
}
