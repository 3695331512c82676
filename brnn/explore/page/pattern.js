// An input pattern that is drawn: bars for one axis, a grid that is painted for two. Keys do all that the mouse does.

import { prepared, scaleOf, image, shown } from "./canvas.js";
import { post } from "./ask.js";
import { fresh, made } from "./elements.js";

export function asText(values, shape) {
  const text = (list) => list.map((value) => String(Number(value.toPrecision(4)))).join(",");
  if (shape.length === 1) return values.length === 1 ? `[${text(values)}]` : text(values);
  const rows = [];
  for (let r = 0; r < shape[0]; r += 1) rows.push(`[${text(values.slice(r * shape[1], (r + 1) * shape[1]))}]`);
  return `[${rows.join(",")}]`;
}

export class Pattern {
  constructor(control, changed, failed) {
    this.values = [...control.value];
    this.shape = control.shape;
    this.top = control.top;
    this.changed = changed;
    this.cell = 0;
    const id = fresh("pattern");
    this.said = made("span", { class: "meaning", id, "aria-live": "off" });
    this.canvas = made("canvas", {
      class: "drawn short wide", tabindex: "0", role: "application", "aria-roledescription": "pattern editor",
      "aria-label": `${control.label}: arrow keys choose a cell; plus and minus, or space, change it`, "aria-describedby": id,
      onpointerdown: (event) => this.start(event), onpointermove: (event) => this.move(event),
      onpointerup: () => { this.pen = null; }, onkeydown: (event) => this.key(event),
    });
    const file = fresh("file");
    this.file = made("input", { type: "file", id: file, accept: ".png,.jpg,.jpeg,.csv,.tsv,.txt,.npy", onchange: () => this.load(failed) });
    this.element = made("div", { class: "wide" }, this.canvas, this.said,
      made("div", { class: "bar" },
        made("button", { type: "button", class: "small", text: "Clear", onclick: () => this.fill(() => 0) }),
        made("button", { type: "button", class: "small", text: "Shuffle", onclick: () => this.shuffle() }),
        ...(failed ? [made("label", { for: file, class: "meaning", text: "from a file:" }), this.file] : []))); // a server reads files
    if (this.shape.length > 1) this.canvas.classList.remove("short");
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  get columns() {
    return this.shape.at(-1);
  }

  fill(of) {
    this.values = this.values.map((_, k) => of(k));
    this.told();
  }

  shuffle() {
    for (let k = this.values.length - 1; k > 0; k -= 1) {
      const other = Math.floor(Math.random() * (k + 1));
      [this.values[k], this.values[other]] = [this.values[other], this.values[k]];
    }
    this.told();
  }

  told() {
    this.draw();
    this.changed(asText(this.values, this.shape));
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 0.9999);
    const y = Math.min(Math.max((event.clientY - box.top) / box.height, 0), 0.9999);
    const column = Math.floor(x * this.columns);
    if (this.shape.length === 1) return { cell: column, value: Number((this.top * 1.1 * Math.max(1 - y * 1.04, 0)).toPrecision(3)) };
    return { cell: Math.floor(y * this.shape[0]) * this.columns + column, value: null };
  }

  start(event) {
    this.canvas.setPointerCapture(event.pointerId);
    const { cell } = this.place(event);
    this.pen = this.shape.length > 1 ? (this.values[cell] > this.top / 2 ? 0 : this.top) : true;
    this.move(event);
  }

  move(event) {
    if (this.pen === null || this.pen === undefined) return;
    const { cell, value } = this.place(event);
    this.cell = cell;
    this.values[cell] = value ?? this.pen;
    this.told();
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
    const one = this.shape.length === 1;
    const by = { "+": 0.05, "=": 0.05, "-": -0.05, ...(one ? { ArrowUp: 0.05, ArrowDown: -0.05 } : {}) };
    if (event.key in by) {
      const value = this.values[this.cell] + by[event.key] * this.top;
      this.values[this.cell] = Number(Math.max(value, 0).toPrecision(4));
      this.told();
    } else if (event.key === " ") {
      this.values[this.cell] = this.values[this.cell] > this.top / 2 ? 0 : this.top;
      this.told();
    } else if (event.key in steps) {
      this.cell = Math.min(Math.max(this.cell + steps[event.key], 0), this.values.length - 1);
      this.draw();
    } else return;
    event.preventDefault();
    this.said.textContent = `cell ${this.cell}: ${shown(this.values[this.cell])}`;
  }

  async load(failed) {
    const [file] = this.file.files;
    if (!file) return;
    try {
      const found = await post("api/pattern", await file.arrayBuffer(), { "X-File-Name": encodeURIComponent(file.name) });
      this.values = found.value;
      this.shape = found.shape;
      this.top = Math.max(...found.value, 1e-12);
      this.cell = 0;
      this.said.textContent = found.said;
      this.told();
    } catch (error) {
      failed(error);
    }
    this.file.value = "";
  }

  draw() {
    if (!this.canvas.isConnected || !this.canvas.clientWidth) return;
    const { context, width, height } = prepared(this.canvas);
    const focused = document.activeElement === this.canvas;
    if (this.shape.length > 1) {
      image(context, this.values, this.shape[0], this.columns, { x: 0, y: 0, width, height }, scaleOf(this.values));
      if (focused) {
        context.strokeStyle = "#c75300";
        context.lineWidth = 2;
        context.strokeRect(((this.cell % this.columns) * width) / this.columns, (Math.floor(this.cell / this.columns) * height) / this.shape[0], width / this.columns, height / this.shape[0]);
      }
      return;
    }
    const wide = width / this.values.length;
    this.values.forEach((value, k) => {
      const tall = (Math.max(value, 0) / (this.top * 1.1)) * height;
      context.fillStyle = focused && k === this.cell ? "#c75300" : "#0072b2";
      context.fillRect(k * wide + 1, height - tall, Math.max(wide - 2, 1), tall);
    });
  }
}
