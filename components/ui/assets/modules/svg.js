// The calls of a canvas that the attention view draws with, written down as SVG.
export class Svg {
  fillStyle = "";
  strokeStyle = "";
  lineWidth = 1;
  font = "";
  textAlign = "left";

  constructor(width, height, label, measure) {
    this.label = label; // its size in pixels
    this.measure = measure;
    this.root = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    Object.entries({
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
    }).forEach(([key, value]) => this.root.setAttribute(key, value));
    this.into = this.root;
    this.stack = [];
    this.path = "";
  }
  add(tag, attributes, text) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, String(value)));
    if (text !== undefined) node.textContent = text;
    this.into.append(node);
    return node;
  }
  fillRect(x, y, width, height) {
    this.add("rect", { x, y, width, height, fill: this.fillStyle });
  }
  strokeRect(x, y, width, height) {
    this.add("rect", {
      x,
      y,
      width,
      height,
      fill: "none",
      stroke: this.strokeStyle,
      "stroke-width": this.lineWidth,
    });
  }
  beginPath() {
    this.path = "";
  }
  moveTo(x, y) {
    this.path += `M${x} ${y}`;
  }
  lineTo(x, y) {
    this.path += `L${x} ${y}`;
  }
  closePath() {
    this.path += "Z";
  }
  stroke() {
    this.add("path", {
      d: this.path,
      fill: "none",
      stroke: this.strokeStyle,
      "stroke-width": this.lineWidth,
    });
  }
  clip() {
    const id = `clip${this.root.childElementCount}`,
      shape = this.add("clipPath", { id });
    shape.append(Object.assign(document.createElementNS("http://www.w3.org/2000/svg", "path")));
    shape.firstChild.setAttribute("d", this.path);
    this.into = this.add("g", { "clip-path": `url(#${id})` });
  }
  save() {
    this.stack.push(this.into);
    this.into = this.add("g", {});
  }
  restore() {
    this.into = this.stack.pop();
  }
  translate(x, y) {
    this.move(`translate(${x} ${y})`);
  }
  rotate(angle) {
    this.move(`rotate(${(angle * 180) / Math.PI})`);
  }
  move(how) {
    this.into.setAttribute("transform", `${this.into.getAttribute("transform") ?? ""} ${how}`.trim());
  }
  measureText(text) {
    return this.measure(this.font, text);
  }
  fillText(text, x, y) {
    const anchor = { left: "start", right: "end", center: "middle" }[this.textAlign] ?? "start";
    this.add(
      "text",
      {
        x,
        y,
        fill: this.fillStyle,
        "text-anchor": anchor,
        "dominant-baseline": "central",
        "font-size": this.label,
        "font-family": "sans-serif",
      },
      String(text),
    );
  }
  drawImage(picture, x, y, width, height) {
    this.add("image", {
      x,
      y,
      width,
      height,
      href: picture.toDataURL(),
      style: "image-rendering:pixelated",
      preserveAspectRatio: "none",
    });
  }
}
