// The three pictures of attention, on a canvas or on what takes the same calls (svg.js): lines between tokens, a
// matrix, all heads. A picture is placed for a width, then painted; texts of visitors and models are only drawn.
import { clamp } from "./attention-data.js";

const PLACED = { lines: placeLines, matrix: placeMatrix, heads: placeHeads };
const PAINTED = { lines: paintLines, matrix: paintMatrix, heads: paintHeads };

/** The page's colours, light or dark, and its font. @param {HTMLElement} element */
export function coloursOf(element) {
  const style = getComputedStyle(element);
  /** @param {string} name @param {string} fallback */
  const of = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const dark = document.body.classList.contains("dark");
  return {
    text: of("--body-text-color", "#222"),
    quiet: of("--body-text-color-subdued", "#666"),
    ground: of("--body-background-fill", "#fff"),
    edge: of("--border-color-primary", "#ddd"),
    more: dark ? [94, 234, 212] : [15, 118, 110],
    less: dark ? [251, 146, 60] : [194, 65, 12],
    mark: dark ? "#fbbf24" : "#b45309",
    family: style.fontFamily,
  };
}

/**
 * A value's colour: more or less of it, by a share.
 *
 * @param {{ more: number[], less: number[] }} colour
 * @param {number} value
 * @param {number} by
 */
export function toned(colour, value, by) {
  const [r, g, b] = value < 0 ? colour.less : colour.more;
  return `rgba(${r},${g},${b},${by.toFixed(3)})`;
}

/** Where a picture's parts are in a width; `row` and `label` are sizes in pixels, more on a wide stage. */
export function placed(pen, picture, width, family) {
  const grow = clamp(width / 560, 1, 1.5);
  const label = Math.round(12 * grow),
    row = Math.round(22 * grow);
  const font = `${label}px ${family}`;
  pen.font = font;
  return { label, row, font, ...PLACED[picture.view](pen, picture, width, row, label) };
}

/** Paints what an area of `width` and `height` shows of the view's picture, from `top` on. */
export function paint(pen, { element, picture, place, state }, { width, height, top }) {
  const colour = coloursOf(element);
  pen.fillStyle = colour.ground;
  pen.fillRect(0, 0, width, height);
  pen.font = place.font;
  pen.textBaseline = "middle";
  // Small weights are seen too, hence the root.
  const strength = (value) => Math.sqrt(Math.min(1, Math.abs(value) / picture.most));
  PAINTED[picture.view](pen, { picture, place, state, colour, strength }, { width, height, top });
}

/**
 * What is at a point of the whole picture: a head, or a row, a column, both; nothing elsewhere.
 *
 * @param {import("./attention-data.js").View} view
 * @param {number} x
 * @param {number} y
 * @returns {{ layer?: number, head?: number, row?: number, column?: number | null } | null}
 */
export function found({ picture, place }, x, y) {
  if (picture.view === "heads") {
    const step = place.cell + place.gap;
    const [head, layer] = [Math.floor((x - place.left) / step), Math.floor((y - place.top) / step)];
    return head >= 0 && layer >= 0 && head < picture.heads && layer < picture.layers ? { head, layer } : null;
  }
  const { rows, columns } = picture;
  if (picture.view === "matrix") {
    const [column, row] = [Math.floor((x - place.x) / place.cell), Math.floor((y - place.top) / place.cell)];
    if (row < 0 || row >= rows.length || column >= columns.length) return null;
    return { row, column: column < 0 ? null : column };
  }
  const index = Math.floor((y - place.head) / place.row);
  if (x > place.width - place.right) return index >= 0 && index < columns.length ? { column: index } : null;
  return index >= 0 && index < rows.length && x < place.width / 2 ? { row: index, column: null } : null;
}

const longest = (pen, items, most) =>
  Math.min(most, 8 + items.reduce((wide, item) => Math.max(wide, pen.measureText(item.text).width), 0));

function clipped(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  let end = text.length;
  while (end > 1 && pen.measureText(`${text.slice(0, end)}…`).width > room) end = Math.floor(end * 0.85);
  return `${text.slice(0, end)}…`;
}

// Lines

function placeLines(pen, picture, width, row) {
  const left = longest(pen, picture.rows, width / 4),
    right = longest(pen, picture.columns, width / 4);
  return {
    width,
    height: Math.max(picture.rows.length, picture.columns.length) * row + 34,
    left,
    right,
    head: 28,
  };
}

function paintLines(pen, { picture, place, state, colour, strength }, { width, height, top }) {
  const { left, right, head, row: step } = place;
  const { rows, columns, values } = picture;
  const y = (index) => head + index * step + step / 2 - top;
  const [from, to] = [left + 4, width - right - 4];
  const picks = state.row;
  const first = picks ?? 0,
    last = picks ?? rows.length - 1;
  for (let row = first; row <= last; row++) {
    const begin = y(row);
    for (let column = 0; column < columns.length; column++) {
      const value = values[row * columns.length + column];
      if (Math.abs(value) < Math.max(state.threshold, 1 / 255)) continue;
      const end = y(column);
      if ((begin < head && end < head) || (begin > height && end > height)) continue;
      pen.strokeStyle = toned(
        colour,
        value,
        picks === null ? 0.15 + 0.75 * strength(value) : 0.35 + 0.65 * strength(value),
      );
      pen.lineWidth = 0.6 + 3.4 * strength(value);
      pen.beginPath();
      pen.moveTo(from, begin);
      pen.lineTo(to, end);
      pen.stroke();
    }
  }
  const seen = (index) => y(index) > -step && y(index) < height + step;
  rows.forEach((row, index) => {
    if (!seen(index)) return;
    if (index === picks) {
      pen.fillStyle = toned(colour, 1, 0.18);
      pen.fillRect(0, y(index) - step / 2, left, step);
    }
    pen.fillStyle = row.special ? colour.quiet : colour.text;
    pen.textAlign = "right";
    pen.fillText(clipped(pen, row.text, left - 6), left - 2, y(index));
  });
  columns.forEach((column, index) => {
    if (!seen(index)) return;
    const value = picks === null ? 0 : values[picks * columns.length + index];
    if (value) {
      pen.fillStyle = toned(colour, value, 0.1 + 0.6 * strength(value));
      pen.fillRect(width - right, y(index) - step / 2, right, step);
    }
    if (index === state.column) {
      pen.strokeStyle = colour.mark;
      pen.lineWidth = 1.5;
      pen.strokeRect(width - right + 1, y(index) - step / 2 + 1, right - 2, step - 2);
    }
    pen.fillStyle = column.special ? colour.quiet : colour.text;
    pen.textAlign = "left";
    pen.fillText(clipped(pen, column.text, right - 6), width - right + 4, y(index));
  });
  pen.fillStyle = colour.ground;
  pen.fillRect(0, 0, width, head - 4);
  pen.fillStyle = colour.quiet;
  pen.textAlign = "right";
  pen.fillText("reads", left - 2, 12);
  pen.textAlign = "left";
  pen.fillText("from", width - right + 4, 12);
}

// Matrix

function placeMatrix(pen, picture, width, _, label) {
  const left = longest(pen, picture.rows, Math.max(120, width / 6)),
    above = longest(pen, picture.columns, Math.max(120, width / 6));
  const cell = clamp(Math.floor((width - left - 8) / Math.max(1, picture.columns.length)), 1, 44);
  const labels = cell >= label;
  const [x, top] = [labels ? left : 8, labels ? above : 8];
  return {
    width: x + cell * picture.columns.length + 8,
    height: top + cell * picture.rows.length + 8,
    x,
    top,
    cell,
    labels,
  };
}

// The cells as a picture of one pixel each: half a million rectangles would take seconds.
function rastered(raster, values, width, height, colour, shade) {
  raster.width = width;
  raster.height = height;
  const brush = raster.getContext("2d");
  const image = brush.createImageData(width, height);
  for (let index = 0; index < width * height; index++) {
    const value = values[index];
    const tone = value < 0 ? colour.less : colour.more;
    image.data[4 * index] = tone[0];
    image.data[4 * index + 1] = tone[1];
    image.data[4 * index + 2] = tone[2];
    image.data[4 * index + 3] = 255 * shade(value);
  }
  brush.putImageData(image, 0, 0);
  return raster;
}

function paintMatrix(pen, { picture, place, state, colour, strength }) {
  const { x, top, cell, labels } = place;
  const { rows, columns, values } = picture;
  const least = state.threshold;
  const cells = rastered(
    document.createElement("canvas"),
    values,
    columns.length,
    rows.length,
    colour,
    (value) => (Math.abs(value) < least ? 0 : strength(value)),
  );
  pen.imageSmoothingEnabled = false;
  pen.drawImage(cells, x, top, cell * columns.length, cell * rows.length);
  if (picture.causal) hatch(pen, picture, place, colour);
  pen.strokeStyle = colour.edge;
  pen.lineWidth = 1;
  pen.strokeRect(x - 0.5, top - 0.5, cell * columns.length + 1, cell * rows.length + 1);
  if (labels) {
    rows.forEach((row, index) => {
      pen.fillStyle = index === state.row ? colour.mark : row.special ? colour.quiet : colour.text;
      pen.textAlign = "right";
      pen.fillText(clipped(pen, row.text, x - 8), x - 6, top + cell * (index + 0.5));
    });
    columns.forEach((column, index) => {
      pen.save();
      pen.translate(x + cell * (index + 0.5), top - 6);
      pen.rotate(-Math.PI / 2);
      pen.fillStyle = index === state.column ? colour.mark : column.special ? colour.quiet : colour.text;
      pen.textAlign = "left";
      pen.fillText(clipped(pen, column.text, top - 8), 0, 0);
      pen.restore();
    });
  }
  if (state.row !== null) {
    pen.strokeStyle = colour.mark;
    pen.lineWidth = 1.5;
    pen.strokeRect(x, top + cell * state.row, cell * columns.length, Math.max(2, cell));
    if (state.column !== null)
      pen.strokeRect(x + cell * state.column, top, Math.max(2, cell), cell * rows.length);
  }
}

// What a causal model cannot see is no weight of 0: it is marked as out of reach.
function hatch(pen, picture, place, colour) {
  const { x, top, cell } = place;
  const size = picture.columns.length;
  pen.save();
  pen.beginPath();
  pen.moveTo(x + cell, top);
  for (let row = 0; row < picture.rows.length; row++) {
    pen.lineTo(x + cell * (row + 1), top + cell * row);
    pen.lineTo(x + cell * (row + 1), top + cell * (row + 1));
  }
  pen.lineTo(x + cell * size, top);
  pen.closePath();
  pen.clip();
  pen.strokeStyle = colour.edge;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let at = -cell * size; at < cell * size; at += 8) {
    pen.moveTo(x + at, top);
    pen.lineTo(x + at + cell * size, top + cell * size);
  }
  pen.stroke();
  pen.restore();
}

// All heads

function placeHeads(_, picture, width) {
  const gap = 6,
    left = 28;
  const cell = clamp(Math.floor((width - left) / picture.heads) - gap, 14, 84);
  return {
    width: left + picture.heads * (cell + gap),
    height: 22 + picture.layers * (cell + gap),
    cell,
    gap,
    left,
    top: 22,
  };
}

function paintHeads(pen, { picture, place, state, colour }) {
  const { cell, gap, left, top } = place;
  const { layers, heads, width, height, data } = picture;
  pen.imageSmoothingEnabled = false;
  const size = width * height,
    raster = document.createElement("canvas");
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) {
      const begin = (layer * heads + head) * size;
      const cells = rastered(raster, data.subarray(begin, begin + size), width, height, colour, (value) =>
        Math.sqrt(value / 255),
      );
      const [x, y] = [left + head * (cell + gap), top + layer * (cell + gap)];
      pen.drawImage(cells, x, y, cell, cell);
      const current = layer === state.layer && head === state.head;
      pen.strokeStyle = current ? colour.mark : colour.edge;
      pen.lineWidth = current ? 2.5 : 1;
      pen.strokeRect(x - 0.5, y - 0.5, cell + 1, cell + 1);
    }
  }
  pen.fillStyle = colour.quiet;
  pen.textAlign = "center";
  for (let head = 0; head < heads; head++) pen.fillText(head + 1, left + head * (cell + gap) + cell / 2, 10);
  for (let layer = 0; layer < layers; layer++)
    pen.fillText(layer + 1, left / 2, top + layer * (cell + gap) + cell / 2);
}
