// Saves figures as files: what `components/figures/svg.py` frames, and what scripts draw.
// What a style sheet may say of an SVG element, and a file must say itself.
const STYLES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-opacity",
  "stroke-linecap",
  "stroke-linejoin",
  "opacity",
  "font-family",
  "font-size",
  "font-weight",
  "font-style",
  "text-anchor",
  "dominant-baseline",
  "letter-spacing",
  "paint-order",
  "visibility",
];
const LONGEST_SIDE = 8192,
  MOST_PIXELS = 32e6; // of a canvas that every browser can make

export function save(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function size(svg) {
  const box = svg.viewBox.baseVal;
  if (box && box.width && box.height) return [box.x, box.y, box.width, box.height];
  const shown = svg.getBoundingClientRect();
  return [0, 0, shown.width, shown.height];
}

function background(element) {
  for (let at = element; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (colour && colour !== "transparent" && !/, 0\)$/.test(colour)) return colour;
  }
  return "white";
}

// The text of a file that looks as the drawing does here, on the page's background.
function svgText(svg) {
  const copy = svg.cloneNode(true);
  const from = [svg, ...svg.querySelectorAll("*")],
    to = [copy, ...copy.querySelectorAll("*")];
  const hidden = [];
  from.forEach((element, index) => {
    const style = getComputedStyle(element),
      target = to[index];
    if (style.display === "none" && element.tagName !== "title" && !element.closest("defs"))
      hidden.push(target);
    target.removeAttribute("class");
    target.removeAttribute("style");
    target.removeAttribute("tabindex");
    if (element.tagName === "title" || element.tagName === "desc") return;
    for (const name of STYLES) {
      const value = style.getPropertyValue(name),
        parent = index && getComputedStyle(element.parentElement);
      // What is inherited is written once, on the ancestor; opacity is not inherited.
      const inherited = parent && name !== "opacity" && parent.getPropertyValue(name) === value;
      if (value && !inherited) target.setAttribute(name, value);
      else target.removeAttribute(name);
    }
  });
  hidden.forEach((element) => element.remove());
  const [x, y, width, height] = size(svg);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", [x, y, width, height].join(" "));
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const sides = { x, y, width, height, fill: background(svg), "fill-opacity": 1, stroke: "none" };
  for (const [name, value] of Object.entries(sides)) paper.setAttribute(name, value);
  copy.prepend(paper);
  return new XMLSerializer().serializeToString(copy);
}

async function svgToPng(text, width, height, scale = 2) {
  const most = Math.min(LONGEST_SIDE / Math.max(width, height), Math.sqrt(MOST_PIXELS / (width * height)));
  const factor = Math.min(scale, most);
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * factor));
    canvas.height = Math.max(1, Math.round(height * factor));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((done, fail) => {
      canvas.toBlob(
        (blob) => (blob ? done(blob) : fail(new Error("The picture is too large."))),
        "image/png",
      );
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

// NumPy's format 1.0: a header padded to 64 bytes, then the numbers in C order. Missing ones are NaN.
export function npy(values, shape) {
  const flat = Float32Array.from(
    Array.isArray(values) ? values.flat(Infinity) : values,
    (value) => value ?? NaN,
  );
  const count = shape.reduce((product, side) => product * side, 1);
  if (flat.length !== count) throw new Error(`${flat.length} values do not fill the shape ${shape}`);
  const sides = shape.join(", ") + (shape.length === 1 ? "," : "");
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sides}), }`;
  header = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + "\n";
  const start = new Uint8Array(10 + header.length);
  start.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  start.set(new TextEncoder().encode(header), 10);
  const numbers = new DataView(new ArrayBuffer(4 * flat.length));
  flat.forEach((value, index) => numbers.setFloat32(4 * index, value, true));
  return new Blob([start, numbers.buffer], { type: "application/octet-stream" });
}

function shapeOf(values) {
  return Array.isArray(values) ? [values.length, ...shapeOf(values[0])] : [];
}

async function blobOf(figure, format) {
  if (format === "json") return new Blob([figure.dataset.numbers], { type: "application/json" });
  if (format === "npy") {
    const values = JSON.parse(figure.dataset.numbers).values;
    return npy(values, shapeOf(values));
  }
  const svg = figure.querySelector("svg"),
    text = svgText(svg);
  if (format === "svg") return new Blob([text], { type: "image/svg+xml" });
  const [, , width, height] = size(svg);
  return svgToPng(text, width, height, 2);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-export]"),
    figure = button?.closest("figure.drawn");
  if (!figure) return;
  const format = button.dataset.export;
  try {
    save(`${figure.dataset.name}.${format}`, await blobOf(figure, format));
  } catch (error) {
    button.title = `This did not work: ${error.message}`;
    button.classList.add("failed");
  }
});
