// Texts as points. All that is shown is put in as text; nothing is asked of the server.
const SVG = "http://www.w3.org/2000/svg";
const WIDEST = 760, MARGIN = 24, NEAR = 14; // in the drawing's units, CSS pixels when it is drawn
const COLOURS = [0, 1, 2, 3, 4, 7, 5, 6]; // kinds of the style sheet, so that no two alike get the same shape
const FEW = 4, MOST_LISTED = 200;
const SHAPES = [ // around the origin, of about the same size to the eye
  "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z",
  "M-3.6-3.6H3.6V3.6H-3.6Z",
  "M0-4.8L4.6 3.6H-4.6Z",
  "M0-5.2L5.2 0L0 5.2L-5.2 0Z",
  "M-1.5-5H1.5V-1.5H5V1.5H1.5V5H-1.5V1.5H-5V-1.5H-1.5Z",
];
const part = (name) => element.querySelector(`.scatter${name}`);
const [root, said, keys, stage, drawn, over, tip, list] =
  ["", "-said", "-keys", "-stage", "-points", "-over", "-tip", "-selected"].map(part);
const figure = element.querySelector("figure");

const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
};
const makeSvg = (tag, attributes) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
};
const press = (words, act) => {
  const button = make("button", "", words);
  button.type = "button";
  button.addEventListener("click", act);
  return button;
};

let data, places, marks, names; // of the points, by their number; `names` are the classes' in the drawing
let classes; // how many there are
let wide = WIDEST, high = WIDEST; // of the drawing
let off, selected, current, anchor, lasso, drawing;

const kind = (code) => `kind-${COLOURS[code % COLOURS.length]}`;
// For a few classes colours suffice; of more, no two of forty share both colour and shape.
const shape = (code) => SHAPES[classes > FEW ? code % SHAPES.length : 0];
const seen = (at) => !off.class.has(data.classes[at]) && !off.split.has(data.split[at]);
const where = (at) => `${data.labels[data.classes[at]]}, ${data.splits[data.split[at]]}`;
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function draw() {
  data = props.value;
  if (typeof data === "string") data = data ? JSON.parse(data) : null;
  root.hidden = !data?.rows;
  if (root.hidden) return;
  off = { class: new Set(), split: new Set() };
  selected = new Set();
  current = anchor = lasso = null;
  classes = new Set(data.classes).size;
  said.textContent = data.said;
  wide = Math.min(WIDEST, stage.clientWidth || WIDEST);
  high = Math.round(wide * (wide < 500 ? 1.1 : 0.7));
  place();
  for (const svg of [drawn, over]) svg.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  const group = makeSvg("g", {});
  marks = places.map(([x, y], at) => {
    const code = data.classes[at];
    const mark = makeSvg("path", {
      d: shape(code), transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`, class: `mark ${kind(code)}`,
    });
    group.append(mark);
    return mark;
  });
  names = makeSvg("g", {});
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", `${data.rows.length} texts in ${classes} classes`);
  drawn.replaceChildren(group, names);
  figure.dataset.numbers = JSON.stringify({
    values: data.points, rows: data.rows, classes: data.classes.map((code) => data.labels[code]),
  });
  legend();
  show();
  select([]);
  point(null);
}

// Both directions have one scale: distances are what there is to see.
function place() {
  const xs = data.points.map(([x]) => x), ys = data.points.map(([, y]) => y);
  const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  const [left, right, bottom, top] = [least(xs), most(xs), least(ys), most(ys)];
  const scale = Math.min((wide - 2 * MARGIN) / (right - left || 1), (high - 2 * MARGIN) / (top - bottom || 1));
  places = data.points.map(([x, y]) => [
    wide / 2 + (x - (left + right) / 2) * scale, high / 2 - (y - (bottom + top) / 2) * scale,
  ]);
}

function legend() {
  const counts = (codes, total) => {
    const found = Array(total).fill(0);
    for (const code of codes) found[code] += 1;
    return found;
  };
  const switches = (title, labels, codes, hidden, decorate) => {
    const box = make("fieldset");
    box.append(make("legend", "", title));
    counts(codes, labels.length).forEach((count, code) => {
      if (!count) return;
      const item = make("span", "key"), label = make("label"), input = make("input");
      input.type = "checkbox";
      input.checked = true;
      input.addEventListener("change", () => {
        if (input.checked) hidden.delete(code); else hidden.add(code);
        show();
        select([...selected].filter(seen));
        if (current !== null && !seen(current)) point(null);
      });
      label.append(input, ...decorate(code), make("bdi", "", labels[code]), make("span", "count", count));
      const all = press("select", () => select(data.rows.map((_, at) => at).filter((at) => codes[at] === code && seen(at))));
      all.setAttribute("aria-label", `Select ${labels[code]}`);
      item.append(label, all);
      box.append(item);
    });
    return box;
  };
  const sample = (code) => {
    const svg = makeSvg("svg", { viewBox: "-6 -6 12 12", "aria-hidden": "true", class: "sample" });
    svg.append(makeSvg("path", { d: shape(code), class: `mark ${kind(code)}` }));
    return [svg];
  };
  drawing = press("Draw a selection", () => {
    const on = drawing.getAttribute("aria-pressed") !== "true";
    drawing.setAttribute("aria-pressed", String(on));
    stage.classList.toggle("drawing", on);
  });
  drawing.className = "touch";
  drawing.setAttribute("aria-pressed", "false");
  stage.classList.remove("drawing");
  keys.replaceChildren(
    switches("Classes", data.labels, data.classes, off.class, sample),
    switches("Splits", data.splits, data.split, off.split, () => []),
    drawing,
  );
}

// What is switched off is not drawn; each class that is has its name in its middle.
function show() {
  const of = new Map();
  marks.forEach((mark, at) => {
    const on = seen(at), code = data.classes[at];
    mark.classList.toggle("off", !on);
    if (on) of.set(code, [...(of.get(code) ?? []), at]);
  });
  names.replaceChildren(...[...of].map(([code, ats]) => {
    const name = makeSvg("text", {
      x: median(ats.map((at) => places[at][0])).toFixed(1), y: median(ats.map((at) => places[at][1])).toFixed(1),
      class: `scatter-name ${kind(code)}`,
    });
    name.textContent = data.labels[code];
    return name;
  }));
  spread([...names.children]);
}

// Names that would lie on one another are moved apart, down or up, whichever is nearer to their place.
function spread(texts) {
  const boxes = [];
  for (const text of texts.sort((a, b) => a.getAttribute("y") - b.getAttribute("y"))) {
    const box = text.getBBox();
    const hit = (y) => boxes.find((other) => y < other.y + other.height && other.y < y + box.height &&
      box.x < other.x + other.width && other.x < box.x + box.width);
    let [down, up] = [box.y, box.y];
    for (let other; (other = hit(down));) down = other.y + other.height + 1;
    for (let other; (other = hit(up));) up = other.y - box.height - 1;
    const inside = (y) => y >= 0 && y + box.height <= high;
    const moved = inside(up) && (!inside(down) || box.y - up < down - box.y) ? up : down;
    text.setAttribute("y", (Number(text.getAttribute("y")) + moved - box.y).toFixed(1));
    boxes.push({ x: box.x, y: moved, width: box.width, height: box.height });
  }
}

function point(at) {
  current = at;
  const ring = over.querySelector(".ring") ?? over.appendChild(makeSvg("circle", { class: "ring", r: 8 }));
  ring.classList.toggle("off", at === null);
  tip.replaceChildren();
  if (at === null) return;
  ring.setAttribute("cx", places[at][0]);
  ring.setAttribute("cy", places[at][1]);
  tip.append(make("strong", "", where(at)), ` ${data.texts[at]}`);
}

function select(ats) {
  selected = new Set(ats);
  marks.forEach((mark, at) => mark.classList.toggle("selected", selected.has(at)));
  stage.classList.toggle("has-selection", selected.size > 0);
  tabulate();
}

function tabulate() {
  list.replaceChildren();
  if (!selected.size) return;
  const ats = [...selected].sort((a, b) => a - b);
  const head = make("div", "scatter-head");
  head.append(
    make("h4", "", ats.length === 1 ? "1 text selected" : `${ats.length.toLocaleString("en")} texts selected`),
    press("Download CSV", () => save(ats)),
    press("Select none", () => { select([]); stage.focus(); }),
  );
  list.append(head);
  if (ats.length > MOST_LISTED)
    list.append(make("p", "hint", `The first ${MOST_LISTED} are listed; the CSV file has all of them.`));
  const box = make("div", "grid-box"), table = make("table", "grid"), thead = make("thead"), body = make("tbody");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "Selected texts");
  const titles = thead.insertRow();
  for (const title of ["Text", "Class", "Split"]) {
    const cell = make("th", "", title);
    cell.scope = "col";
    titles.append(cell);
  }
  for (const at of ats.slice(0, MOST_LISTED)) {
    const row = body.insertRow();
    for (const text of [data.texts[at], data.labels[data.classes[at]], data.splits[data.split[at]]]) {
      const cell = row.insertCell();
      cell.dir = "auto";
      cell.textContent = text;
    }
  }
  table.append(thead, body);
  box.append(table);
  list.append(box);
}

function save(ats) {
  const quoted = (text) => `"${String(text).replaceAll('"', '""')}"`;
  const lines = ats.map((at) => [
    data.rows[at], quoted(data.texts[at]), quoted(data.labels[data.classes[at]]), data.splits[data.split[at]],
  ].join(","));
  const text = ["row,text,class,split", ...lines, ""].join("\r\n");
  window.tourExports.save("lab-features-selection.csv", new Blob([text], { type: "text/csv" }));
}

// Pointer

const spot = (event) => {
  const box = stage.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * wide, ((event.clientY - box.top) / box.height) * high];
};

function nearest([x, y]) {
  let best = null, least = NEAR ** 2;
  places.forEach(([px, py], at) => {
    const distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance < least && seen(at)) [best, least] = [at, distance];
  });
  return best;
}

// By the number of sides that a ray to the right crosses.
function inside([x, y], polygon) {
  let odd = false;
  polygon.forEach(([ax, ay], index) => {
    const [bx, by] = polygon[(index || polygon.length) - 1];
    if ((ay > y) !== (by > y) && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  });
  return odd;
}

function outline(points) {
  const line = over.querySelector(".lasso") ?? over.appendChild(makeSvg("polygon", { class: "lasso" }));
  line.setAttribute("points", points.map((each) => each.map((value) => value.toFixed(1)).join()).join(" "));
}

stage.addEventListener("pointerdown", (event) => {
  if (!data?.rows || event.button || (event.pointerType === "touch" && !stage.classList.contains("drawing"))) return;
  lasso = [spot(event)];
  stage.setPointerCapture(event.pointerId);
});
stage.addEventListener("pointermove", (event) => {
  if (!data?.rows) return;
  if (!lasso) return point(nearest(spot(event)));
  lasso.push(spot(event));
  outline(lasso);
});
stage.addEventListener("pointerup", (event) => {
  if (!data?.rows) return;
  const points = lasso ?? [spot(event)], before = event.shiftKey ? [...selected] : [];
  lasso = null;
  outline([]);
  const wide = points.some(([x, y]) => Math.hypot(x - points[0][0], y - points[0][1]) > 5);
  const at = nearest(points[0]);
  if (wide) select([...before, ...places.keys()].filter((each) => selected.has(each) && event.shiftKey || seen(each) && inside(places[each], points)));
  else {
    point(at);
    select(at === null ? before : [...before, at]);
  }
});
stage.addEventListener("pointercancel", () => { lasso = null; outline([]); });

// Keys

function next([dx, dy]) {
  if (current === null || !seen(current)) return places.findIndex((_, at) => seen(at));
  const [x, y] = places[current];
  let best = current, least = Infinity;
  places.forEach(([px, py], at) => {
    const ahead = (px - x) * dx + (py - y) * dy, aside = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
    const cost = ahead + 2 * aside;
    if (at !== current && ahead > 0 && cost < least && seen(at)) [best, least] = [at, cost];
  });
  return best;
}

stage.addEventListener("keydown", (event) => {
  if (!data?.rows) return;
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (step) {
    if (event.shiftKey) anchor ??= current;
    else anchor = null;
    const at = next(step);
    if (at >= 0) point(at);
    if (event.shiftKey && anchor !== null && current !== null) {
      const [[ax, ay], [bx, by]] = [places[anchor], places[current]];
      const between = (value, a, b) => value >= Math.min(a, b) && value <= Math.max(a, b);
      select([...places.keys()].filter((each) =>
        seen(each) && between(places[each][0], ax, bx) && between(places[each][1], ay, by)));
    }
  } else if (event.key === "Enter" || event.key === " ") {
    if (current === null) return;
    const rest = [...selected].filter((at) => at !== current);
    select(selected.has(current) ? rest : [...rest, current]);
  } else if (event.key === "Escape") select([]);
  else return;
  event.preventDefault();
});
stage.addEventListener("focus", () => {
  if (data?.rows && current === null && stage.matches(":focus-visible")) point(next([1, 0]));
});

watch("value", draw);
draw();
