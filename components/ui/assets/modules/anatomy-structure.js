// The structure tab: the network as it is built, parameters as area, and what each part is.
import {
  bytes,
  count,
  download,
  fact,
  json,
  listen,
  part,
  partButton,
  percent,
  pick,
  post,
  problem,
  short,
  shown,
} from "./anatomy.js";
import { make } from "./dom.js";

const PRECISIONS = /** @type {[string, number][]} */ ([
  ["fp32", 4],
  ["bf16", 2],
  ["int8", 1],
  ["4-bit", 0.5],
]);
const SIDES = { encoder: "Encoder", decoder: "Decoder" };

/** @param {import("./component.js").Component} component */
export function start({ element, props, trigger }) {
  const $ = (name) => element.querySelector(`[data-part="${name}"]`);
  const texts = props.texts;
  let opened = new Map(); // part -> how often its block is there

  function say({ words, wrong = false, busy = false, milliseconds = 0 }) {
    $("said").replaceChildren(...(words ? [make("p", wrong ? "lane-problem" : "hint", words)] : []));
    $("body").setAttribute("aria-busy", String(busy));
    if (milliseconds) $("body").dataset.milliseconds = String(Math.round(milliseconds));
  }

  function draw() {
    const { asked } = shown;
    const body = $("body");
    body.classList.add("answered"); // see answers.js
    body.dataset.asked = JSON.stringify([asked.text, asked.text_pair, asked.model]);
    body.hidden = false;
    opened = new Map();
    facts();
    area();
    drawing();
    table();
    pick("");
    body.dataset.drawn = String(Number(body.dataset.drawn ?? 0) + 1); // for whoever waits for it
  }

  function facts() {
    const { look } = shown;
    const whole = look.parts[0];
    const tokens = look.tokens.length;
    const told = [
      `${look.network} (${look.architecture})`,
      `${count(whole.parameters)} parameters`,
      `hidden size ${look.stages.at(-1)?.width ?? ""}`,
      `vocabulary of ${count(vocabulary())} tokens`,
      `${look.stages.filter((one) => one.kind === "self-attention").length} self-attention layers`,
      `${tokens} tokens${look.given.length ? `, ${look.given.length} written` : ""}`,
      `${short(whole.operations)} multiply-adds for this text`,
      look.stored ? "stored answer" : `${look.seconds.toFixed(2)} s on ${look.device}`,
    ];
    $("facts").replaceChildren(...told.map((one) => make("span", "fact", one)));
    $("notes").textContent = look.notes.join(" ");
    $("wrote").textContent = look.written ? `The model wrote: ${look.written}` : "";
  }

  function vocabulary() {
    const table = shown.look.parts.find((one) => one.kind === "token-embedding" && one.own);
    return table ? Math.round(table.own / (shown.look.stages[0]?.width || 1)) : 0;
  }

  // Parameters as area: what is nested is as large as its share.

  function groups() {
    const { parts } = shown.look;
    const found = new Map();
    for (const one of parts) {
      if (!one.own) continue;
      const above = [];
      for (let at = one; at; at = parts[at.parent]) above.push(at.kind);
      const name = above.some((kind) => kind.endsWith("-norm"))
        ? "Normalization"
        : above.includes("lora")
          ? "LoRA adapters"
          : above.includes("cross-attention")
            ? "Cross-attention"
            : above.includes("self-attention")
              ? "Self-attention"
              : above.includes("block")
                ? "Feed-forward"
                : above.some(
                      (kind) =>
                        kind.endsWith("embedding") || kind === "embeddings" || kind === "relative-position",
                    )
                  ? "Embeddings"
                  : "Head";
      found.set(name, (found.get(name) ?? 0) + one.own);
    }
    return found;
  }

  function area() {
    const whole = shown.look.parts[0].parameters;
    const found = groups();
    const inBlocks = ["Self-attention", "Cross-attention", "Feed-forward", "LoRA adapters", "Normalization"];
    const columns = [["Embeddings"], inBlocks, ["Head"]];
    const box = $("area");
    box.replaceChildren();
    for (const names of columns) {
      const there = names.filter((name) => found.get(name));
      if (!there.length) continue;
      const column = make("div", "ana-column");
      column.style.flexGrow = String(there.reduce((sum, name) => sum + found.get(name), 0));
      for (const name of there) {
        const share = found.get(name) / whole;
        const height = found.get(name) / there.reduce((sum, other) => sum + found.get(other), 0);
        const cell = make(
          "div",
          "ana-cell",
          share > 0.03 && height > 0.19 ? `${name} ${percent(share)}` : "",
        );
        cell.style.flexGrow = String(found.get(name));
        cell.dataset.group = name;
        cell.title = `${name}: ${count(found.get(name))} parameters, ${percent(share)}`;
        column.append(cell);
      }
      box.append(column);
    }
    const order = [...found].sort((one, other) => other[1] - one[1]);
    const words = order
      .map(([name, size]) => `${name} ${percent(size / whole)} (${short(size)})`)
      .join(" · ");
    const tied = shown.look.parts.filter((one) => one.shared);
    const shared = tied.length
      ? ` ${tied
          .map((one) => `${one.name} shares ${one.shared}`)
          .slice(0, 3)
          .join("; ")}: counted once.`
      : "";
    $("shares").textContent = `${words}. Together ${count(whole)}.${shared}`;
  }

  // The drawing

  function drawing() {
    const sides = $("sides");
    sides.replaceChildren();
    const { look } = shown;
    look.sketch.forEach((side) => {
      const column = make("section", "ana-side");
      const both = look.sketch.length > 1;
      column.append(make("h3", "", both ? SIDES[side.side] : (look.facts.stack?.title ?? "Blocks")));
      const tokens = side.side === "decoder" && look.given.length ? look.given : look.tokens;
      column.append(make("p", "ana-end", `${tokens.length} tokens in`));
      if (side.before.length) column.append(group(texts.embeddings, side.before));
      for (const entry of side.blocks) column.append(block(entry, both));
      if (side.after.length)
        column.append(group(side.side === "encoder" && both ? texts.final : texts.head, side.after));
      column.append(make("p", "ana-end", out(side, both)));
      sides.append(column);
    });
  }

  function out(side, both) {
    if (both && side.side === "encoder") return texts.encoded;
    return texts.out[shown.look.ending.kind];
  }

  function group(title, names) {
    const box = make("div", "ana-group");
    box.append(make("h4", "", title), buttons(names));
    return box;
  }

  function buttons(names) {
    const row = make("div", "ana-parts");
    for (const name of names) row.append(button(name));
    return row;
  }

  function button(name, className = "") {
    const one = part(name);
    const made = partButton(name, "", className);
    const plain = ["linear", "other", "group", "activation", "classifier", "dropout"].includes(one.kind);
    const named = plain ? ` ${name.split(".").slice(-2).join(".")}` : "";
    made.append(make("span", "ana-title", fact(one.kind).title + named));
    if (one.parameters) made.append(make("span", "ana-size", short(one.parameters)));
    const bar = make("span", "ana-bar");
    const times = opened.get(name) ?? 1;
    bar.style.setProperty("--share", String((times * one.parameters) / shown.look.parts[0].parameters));
    made.append(bar);
    return made;
  }

  function block(entry, both) {
    const box = make("div", "ana-block");
    const inside = shown.look.parts.filter((one) => one.name.startsWith(`${entry.first}.`));
    for (const one of inside) opened.set(one.name, entry.count);
    opened.set(entry.first, entry.count);
    const head = make("div", "ana-block-head");
    head.append(partButton(entry.first, fact("block").title, "ana-plain"));
    const last = entry.from + entry.count;
    const range = entry.count > 1 ? `blocks ${entry.from + 1} to ${last}` : `block ${last}`;
    head.append(make("strong", "ana-times", `× ${entry.count}`), make("span", "hint", range));
    box.append(head);
    const stream = make("ol", "ana-stream");
    stream.append(make("li", "ana-rail", texts.stream));
    for (const one of entry.sublayers) {
      const item = make("li", "ana-branch");
      if (one.norm) item.append(button(one.norm, "ana-norm"));
      const layer = make("div", `ana-sublayer ana-${one.kind}`);
      layer.append(title(one));
      layer.append(buttons(one.parts));
      if (one.kind === "cross-attention" && both) layer.append(make("p", "ana-cross", texts.cross));
      item.append(layer);
      stream.append(item, make("li", "ana-add", texts.add));
      if (one.after) {
        const norm = make("li", "ana-post");
        norm.append(button(one.after, "ana-norm"));
        stream.append(norm);
      }
    }
    box.append(stream);
    return box;
  }

  // A feed-forward network may have no module of its own in the library.
  function title(one) {
    const made = partButton(together(one), fact(one.kind).title, "ana-plain");
    const heads = shown.look.stages.find((stage) => stage.part === one.part)?.heads;
    if (heads) made.append(` · ${heads} heads`);
    return made;
  }

  function together(one) {
    if (!one.parts.includes(one.part)) return one.part;
    const inside = one.parts.map(part);
    const sum = (what) => inside.reduce((whole, other) => whole + other[what], 0);
    const name = `${one.parts[0].split(".").slice(0, -1).join(".")} (${one.kind})`;
    const names = one.parts.map((other) => other.split(".").slice(-2).join("."));
    shown.look.together ??= new Map();
    shown.look.together.set(name, {
      ...part(one.part),
      name,
      kind: one.kind,
      type: names.join(", "),
      parameters: sum("parameters"),
      operations: sum("operations"),
      several: true,
    });
    opened.set(name, opened.get(one.part));
    return name;
  }

  // What a part is

  function describe() {
    const { look } = shown;
    const one = part(shown.picked) ?? look.parts[0];
    element.querySelectorAll(".ana-part").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.name === shown.picked));
    });
    const about = fact(one.kind);
    const whole = look.parts[0].parameters;
    const tokens = shape(one);
    const times = opened.get(one.name) ?? 1;
    const box = $("details");
    box.replaceChildren(
      make("h3", "", about.title),
      make("p", "ana-name", `${one.name || "(the network)"} · ${one.type}`),
    );
    box.append(make("p", "", about.what));
    if (about.formula) box.append(make("p", "ana-formula", about.formula));
    const list = make("dl", "ana-facts");
    const add = (term, told) => {
      if (told) list.append(make("dt", "", term), make("dd", "", told));
    };
    add("Shape for this text", one.shape.length ? shapeOf(one) : "did not run for this text");
    const many =
      times > 1 && one.parameters
        ? `; in all ${times} blocks ${percent((times * one.parameters) / whole)}`
        : "";
    add("Parameters", `${count(one.parameters)} (${percent(one.parameters / whole)} of the whole${many})`);
    add("Shared", one.shared && `with ${one.shared}, counted there`);
    add("Memory", PRECISIONS.map(([name, size]) => `${name} ${bytes(one.parameters * size)}`).join(" · "));
    add("Multiply-adds per token", one.operations && count(Math.round(one.operations / tokens)));
    add("Runs", one.runs > 1 && `${one.runs} times`);
    box.append(list);
    if (!one.several) box.append(sourceOf(one), takeHome(one));
  }

  // What the numbers of a shape count, where that can be told.
  function shapeOf(one) {
    const [width] = shown.look.stages.map((stage) => stage.width);
    const last = one.shape.at(-1) === width ? "hidden size" : "numbers per token";
    const names = one.shape.length === 3 && one.shape[0] === 1 ? ` (batch, tokens, ${last})` : "";
    return `[${one.shape.join(", ")}]${names}`;
  }

  function shape(one) {
    const decoder = shown.look.given.length && one.name.split(".").includes("decoder");
    return (decoder ? shown.look.given : shown.look.tokens).length;
  }

  function sourceOf(one) {
    const box = make("details", "ana-source");
    box.append(make("summary", "", "Code in the library"));
    const code = make("pre", "");
    code.tabIndex = 0;
    box.append(code);
    box.addEventListener("toggle", async () => {
      if (!box.open || code.textContent) return;
      code.textContent = "…";
      try {
        const { found } = await json(await post("source", { model: shown.asked.model, part: one.name }));
        code.textContent = found ? found.code : "There is no file of it.";
        if (found)
          box.querySelector("summary").textContent = `${found.file}, lines ${found.first} to ${found.last}`;
      } catch (error) {
        code.textContent = problem(error);
      }
    });
    return box;
  }

  function takeHome(one) {
    const row = make("p", "ana-actions");
    for (const format of ["npy", "json"]) {
      const button = make("button", "", format === "npy" ? "Download .npy" : "Download JSON");
      button.type = "button";
      button.disabled = !one.shape.length;
      button.addEventListener("click", async () => {
        const words = button.textContent;
        button.disabled = true;
        try {
          await download(one.name, format);
        } catch (error) {
          say({ words: problem(error), wrong: true });
        }
        Object.assign(button, { disabled: false, textContent: words });
      });
      row.append(button);
    }
    const code = make("button", "", "Use in the code below");
    code.type = "button";
    code.addEventListener("click", () => setPart(one.name));
    row.append(code);
    return row;
  }

  // The code drawer is written for the part whose name its box has.
  function setPart(name) {
    trigger("take", { name });
    document.querySelector(`#${props.drawer} > button:not(.open)`)?.click();
    document.getElementById(props.drawer).scrollIntoView({ block: "nearest" });
  }

  // All parts

  function table() {
    const rows = $("rows");
    rows.replaceChildren();
    for (const one of shown.look.parts) {
      const row = make("tr");
      const depth = one.name ? one.name.split(".").length : 0;
      const name = make("th");
      name.scope = "row";
      name.style.paddingInlineStart = `${0.4 + 0.7 * depth}rem`;
      name.append(partButton(one.name, one.name.split(".").at(-1) || "(the network)", "ana-plain"));
      row.append(name);
      for (const told of [
        one.type,
        fact(one.kind).title,
        count(one.parameters),
        one.shape.length ? `[${one.shape.join(", ")}]` : "did not run",
        one.operations ? count(one.operations) : "",
      ])
        row.append(make("td", "", told));
      rows.append(row);
    }
  }

  $("csv").addEventListener("click", async () => {
    const { save } = await import("./exports.js");
    const columns = ["name", "type", "kind", "parameters", "own", "shared", "shape", "operations"];
    const quoted = (value) =>
      `"${String(Array.isArray(value) ? value.join("x") : value).replaceAll('"', '""')}"`;
    const lines = shown.look.parts.map((one) => columns.map((name) => quoted(one[name])).join(","));
    save("parts.csv", new Blob([[columns.join(","), ...lines].join("\n")], { type: "text/csv" }));
  });

  listen((what, detail) => {
    if (what === "said") say(detail);
    if (what === "look") draw();
    if (what === "picked" && shown.look) {
      describe();
      if (shown.picked) $("details").scrollIntoView({ block: "nearest" });
    }
  });
}
