// A figure as brnn.figures describes it: rows of panels, each with its marks, a legend and a table behind it.

import { Axes, GREY, colourBar, image, limits, prepared, shaded, shown, styleOf, tableOf } from "./canvas.js";
import { Table, made } from "./elements.js";

const ROWS = 21;
const COLUMNS = 24;
const INK = "#1b1f24";
const MUTED = "#5a6068";
const GIVEN = "#80868d";
const PREDICTED = [5, 4];

function some(count, most) {
  const rows = Math.min(count, most);
  return Array.from({ length: rows }, (_, k) => Math.round((k * (count - 1)) / Math.max(rows - 1, 1)));
}

function lookOf(mark) {
  if (mark.role === "predicted") return { colour: INK, dash: PREDICTED, width: 1.4 };
  if (mark.role === "given") return { colour: GIVEN, dash: [], width: 1.8 };
  if (mark.role === "guide") return { colour: MUTED, dash: [], width: 1 };
  const { colour, dash } = styleOf(mark.color || 0);
  if (mark.shade !== null && mark.shade !== undefined) return { colour: shaded(mark.shade), dash: [], width: 1.9 };
  return { colour, dash, width: 1.9 };
}

function swatch(mark) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 32 10");
  svg.setAttribute("aria-hidden", "true");
  const add = (kind, parts) => {
    const element = document.createElementNS(space, kind);
    for (const [name, value] of Object.entries(parts)) element.setAttribute(name, value);
    svg.append(element);
  };
  const { colour, dash } = lookOf(mark);
  if (mark.type === "Span") add("rect", { x: 0, y: 0, width: 32, height: 10, fill: spanColour(mark), stroke: "#b9b09a" });
  else if (mark.type === "Bars" && mark.role !== "predicted") add("rect", { x: 4, y: 0, width: 24, height: 10, fill: mark.role === "given" ? "#c9c9c9" : colour, stroke: MUTED });
  else if (mark.type === "Band") add("rect", { x: 0, y: 0, width: 32, height: 10, fill: colour, opacity: 0.3 });
  else if (mark.marker || mark.type === "Bars") add("circle", { cx: 16, cy: 5, r: 4, fill: mark.role === "predicted" ? "none" : colour, stroke: mark.type === "Bars" ? INK : styleOf(mark.color || 0).colour, "stroke-width": 1.6 });
  else add("line", { x1: 0, x2: 32, y1: 5, y2: 5, stroke: colour, "stroke-width": 3, "stroke-dasharray": dash.join(" ") });
  return svg;
}

function spanColour(mark) {
  return mark.color === null || mark.color === undefined ? "#f6ecd4" : `${styleOf(mark.color).colour}26`;
}

class PanelView {
  constructor(panel, height) {
    this.canvas = made("canvas", { role: "img" });
    this.canvas.style.height = `${17 * Math.max(height, 0.7)}rem`;
    this.legend = made("ul", { class: "legend" });
    this.title = made("figcaption", { text: panel.title || "figure" });
    this.table = new Table(panel.title || "figure", () => this.tables());
    this.element = made("figure", { class: "card" }, this.title, this.canvas, this.legend, this.table.element);
    this.element.style.flexGrow = String(panel.width);
    this.element.style.flexBasis = `${22 * panel.width}rem`;
  }

  show(panel, old) {
    this.panel = panel;
    this.old = old;
    this.names();
    this.draw();
    this.table.fill();
  }

  names() {
    const told = new Map();
    for (const mark of this.panel.marks) {
      if (mark.label && mark.type !== "Picture" && mark.type !== "Lines" && !told.has(mark.label)) told.set(mark.label, mark);
    }
    const key = JSON.stringify([...told].map(([label, mark]) => [label, mark.color, mark.role]));
    if (key === this.key) return;
    this.key = key;
    const title = this.panel.legend_title ? [made("li", { text: `${this.panel.legend_title.replace("\n", " ")}:` })] : [];
    this.legend.replaceChildren(...title, ...[...told].map(([label, mark]) => made("li", {}, swatch(mark), label)));
  }

  // From where to where the axes go: as the panel says, or by what is drawn.
  range() {
    const xs = [];
    const ys = [];
    const take = (list, values) => values.length && list.push(...limits(values));
    for (const mark of [...this.panel.marks, ...this.greyed()]) {
      if (mark.type === "Curve" || mark.type === "Lines") {
        take(xs, mark.x);
        take(ys, mark.y);
      } else if (mark.type === "Band") {
        take(xs, mark.x);
        take(ys, mark.low);
        take(ys, mark.high);
      } else if (mark.type === "Bars") {
        xs.push(-0.7, mark.heights.length - 0.3);
        take(ys, mark.heights);
        ys.push(0);
      } else if (mark.type === "Raster") {
        take(xs, mark.x);
        if (mark.rows.length) ys.push(limits(mark.rows)[0] - 0.5, limits(mark.rows)[1] + 0.5);
      } else if (mark.type === "Level") (mark.axis === "y" ? ys : xs).push(mark.value);
      else if (mark.type === "Picture" && mark.x.length) {
        xs.push(mark.x[0], mark.x.at(-1));
        ys.push(mark.y[0], mark.y.at(-1));
      }
    }
    const positive = (list, log) => (log === "log" ? list.filter((value) => value > 0) : list);
    return {
      x: this.panel.x_limits || limits(positive(xs, this.panel.x_scale)),
      y: this.panel.y_limits || limits(positive(ys, this.panel.y_scale)),
      exact: Boolean(this.panel.y_limits) || this.panel.marks.some((mark) => mark.type === "Picture" || mark.type === "Raster"),
    };
  }

  greyed() {
    return this.old.flatMap((panel) => panel.marks.filter((mark) => (mark.type === "Curve" || mark.type === "Lines") && (mark.role ?? "simulated") === "simulated"));
  }

  draw() {
    const picture = this.panel.marks.find((mark) => mark.type === "Picture");
    if (picture && !picture.x.length) this.squares(picture);
    else this.axes(picture);
    const ends = this.panel.marks.filter((mark) => mark.type === "Curve" && mark.role === "simulated" && mark.label).slice(0, 6).map((mark) => `${mark.label} ${shown(mark.y.at(-1))}`);
    this.canvas.setAttribute("aria-label", `${this.panel.title}${ends.length ? `; at the end ${ends.join(", ")}` : ""}; the table below has the numbers`);
  }

  axes(picture) {
    const { x, y, exact } = this.range();
    const bar = (picture && picture.label) || this.panel.marks.some((mark) => mark.type === "Lines" && mark.label);
    const words = { x: this.panel.x, y: this.panel.y, exact, logX: this.panel.x_scale === "log", logY: this.panel.y_scale === "log", xTicks: this.panel.x_ticks, yTicks: this.panel.y_ticks, square: this.panel.square };
    const axes = new Axes(this.canvas, x, y, words, bar ? 62 : 12);
    axes.frame(this.panel.marks.filter((mark) => mark.type === "Span").map((mark) => [mark.start, mark.stop, spanColour(mark)]));
    for (const mark of this.greyed()) this.grey(axes, mark);
    for (const mark of this.panel.marks) DRAW[mark.type]?.(axes, mark);
    axes.done();
    for (const mark of this.panel.marks) {
      const place = { x: axes.right + 8, y: axes.top, height: axes.bottom - axes.top };
      if (mark.type === "Picture" && mark.label) colourBar(axes.context, place, scaleFor(mark));
      if (mark.type === "Lines" && mark.label) colourBar(axes.context, place, { low: limits(mark.values)[0], high: limits(mark.values)[1], table: tableOf("shade") });
    }
  }

  grey(axes, mark) {
    if (mark.type === "Curve") axes.line(mark.x, mark.y, { colour: GREY, dash: [] }, 1.2);
    else {
      const width = mark.values.length;
      for (let line = 0; line < width; line += 1) axes.line(mark.x, mark.x.map((_, k) => mark.y[k * width + line]), { colour: GREY, dash: [] }, 1);
    }
  }

  squares(mark) {
    const { context, width, height } = prepared(this.canvas);
    const [rows, columns] = mark.values.shape;
    const room = mark.label ? 76 : 16;
    const side = Math.min((width - room) / columns, (height - 16) / rows);
    const place = { x: 8 + Math.max((width - room - side * columns) / 2, 0), y: 8, width: side * columns, height: side * rows };
    const scale = scaleFor(mark);
    image(context, mark.values, rows, columns, place, scale);
    context.strokeStyle = MUTED;
    context.lineWidth = 1;
    context.strokeRect(place.x - 0.5, place.y - 0.5, place.width + 1, place.height + 1);
    if (mark.label) colourBar(context, { x: place.x + place.width + 10, y: 8, height: Math.max(place.height, 40) }, scale);
  }

  // The numbers of the panel: curves over one x side by side, bars, images in part.
  tables() {
    const result = [];
    const groups = new Map();
    for (const mark of this.panel?.marks || []) {
      if (mark.type === "Curve" && mark.x.length) {
        const key = `${mark.x.length} ${mark.x[0]} ${mark.x.at(-1)}`;
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key).push(mark);
      } else if (mark.type === "Lines") {
        const width = mark.values.length;
        const lines = some(width, COLUMNS);
        result.push({ head: [this.panel.x, ...lines.map((k) => `line ${k}`)], body: some(mark.x.length, ROWS).map((k) => [shown(mark.x[k]), ...lines.map((line) => shown(mark.y[k * width + line]))]) });
      } else if (mark.type === "Bars") {
        const names = this.panel.x_ticks ? new Map(this.panel.x_ticks) : null;
        result.push({ head: [this.panel.x, mark.label || this.panel.y], body: [...mark.heights].slice(0, 200).map((value, k) => [names?.get(k) ?? String(k), shown(value)]) });
      } else if (mark.type === "Picture") {
        const [rows, columns] = mark.values.shape;
        const across = some(columns, COLUMNS);
        result.push({ head: ["row", ...across.map((c) => (mark.x.length > columns ? shown(mark.x[c]) : String(c)))], body: some(rows, COLUMNS).map((r) => [String(r), ...across.map((c) => shown(mark.values[r * columns + c]))]) });
      } else if (mark.type === "Raster") result.push({ head: [this.panel.x, this.panel.y], body: some(mark.x.length, 100).map((k) => [shown(mark.x[k]), shown(mark.rows[k])]) });
    }
    const curves = [...groups.values()].map((marks) => ({
      head: [this.panel.x, ...marks.slice(0, COLUMNS).map((mark) => mark.label || this.panel.y)],
      body: some(marks[0].x.length, ROWS).map((k) => [shown(marks[0].x[k]), ...marks.slice(0, COLUMNS).map((mark) => shown(mark.y[k]))]),
    }));
    return [...curves, ...result];
  }
}

function scaleFor(mark) {
  let [low, high] = mark.limits || limits(mark.values);
  if (mark.colors === "signed" && !mark.limits) {
    high = Math.max(Math.abs(low), Math.abs(high));
    low = -high;
  }
  return { low, high: high > low ? high : low + 1, table: tableOf(mark.colors) };
}

const DRAW = {
  Curve(axes, mark) {
    const look = lookOf(mark);
    if (mark.marker) {
      const ring = mark.role === "predicted" ? styleOf(mark.color || 0).colour : look.colour;
      const size = mark.role === "predicted" ? 4.5 : mark.marker === "." ? 1.2 : 3;
      for (let k = 0; k < mark.x.length; k += 1) axes.dot(mark.x[k], mark.y[k], ring, mark.role !== "predicted", size);
    } else if (mark.steps) axes.steps(mark.x, mark.y, look);
    else axes.line(mark.x, mark.y, look, look.width);
  },
  Lines(axes, mark) {
    const width = mark.values.length;
    const order = [...mark.values].map((value, k) => [value, k]).sort((a, b) => a[0] - b[0]);
    order.forEach(([, line], rank) => {
      const ys = new Float32Array(mark.x.length);
      for (let k = 0; k < ys.length; k += 1) ys[k] = mark.y[k * width + line];
      axes.line(mark.x, ys, { colour: shaded(rank / Math.max(width - 1, 1)), dash: [] }, 1.3);
    });
  },
  Band(axes, mark) {
    axes.area(mark.x, mark.low, mark.high, mark.role === "simulated" ? styleOf(mark.color || 0).colour : MUTED);
  },
  Level(axes, mark) {
    const look = mark.role === "predicted" ? { colour: INK, dash: PREDICTED } : { colour: MUTED, dash: [] };
    if (mark.axis === "y") axes.line([axes.x0, axes.x1], [mark.value, mark.value], look, 1.2);
    else axes.line([mark.value, mark.value], [axes.y0, axes.y1], look, 1.2);
  },
  Bars(axes, mark) {
    const [k, of] = mark.place;
    const wide = 0.84 / of;
    mark.heights.forEach((value, cell) => {
      const at = cell + (k - 0.5 * (of - 1)) * wide;
      if (mark.role === "predicted") axes.dot(at, value, INK, false, 4);
      else axes.bar(at, wide, value, mark.role === "given" ? "#c9c9c9" : styleOf(mark.color || 0).colour, true);
    });
  },
  Picture(axes, mark) {
    axes.picture(mark, scaleFor(mark));
  },
  Raster(axes, mark) {
    const colour = styleOf(mark.color || 0).colour;
    for (let k = 0; k < mark.x.length; k += 1) axes.line([mark.x[k], mark.x[k]], [mark.rows[k] - 0.4, mark.rows[k] + 0.4], { colour, dash: [] }, 1.6);
  },
  Note(axes, mark) {
    axes.note(mark.x, mark.y, mark.text, mark.side, mark.color === null ? INK : styleOf(mark.color).colour);
  },
};

export class FigureView {
  constructor() {
    this.element = made("div", { class: "figures" });
    this.panels = [];
  }

  show(figure, old = []) {
    const form = JSON.stringify(figure.rows.map((row, k) => [figure.heights[k], ...row.map((panel) => panel.width)]));
    if (form !== this.form) {
      this.form = form;
      this.panels = [];
      const rows = figure.rows.map((row, k) => {
        const views = row.map((panel) => new PanelView(panel, figure.heights[k]));
        this.panels.push(...views);
        return made("div", { class: "row" }, ...views.map((view) => view.element));
      });
      this.element.replaceChildren(...rows);
    }
    const before = old.map((one) => one.rows.flat());
    figure.rows.flat().forEach((panel, k) => {
      this.panels[k].title.textContent = panel.title || " ";
      this.panels[k].show(panel, before.map((panels) => panels[k]).filter((one) => one && one.title === panel.title));
    });
  }
}

// A layer of two dimensions at any saved time, with a slider for the time.
export class Movie {
  constructor(name) {
    this.name = name;
    this.frame = null;
    this.range = made("input", { type: "range", min: 0, step: 1, "aria-label": `${name}: time`, oninput: () => this.choose(Number(this.range.value)) });
    this.said = made("output");
    this.canvas = made("canvas", { role: "img" });
    this.element = made("figure", { class: "card" }, made("figcaption", { text: `${name.replace(/\.x$/, "")} over time` }), this.canvas, made("div", { class: "frames" }, made("span", { text: "time" }), this.range, this.said));
  }

  choose(frame) {
    this.frame = frame === Number(this.range.max) ? null : frame;
    this.draw(this.run);
  }

  draw(run) {
    this.run = run;
    const found = run.variables.get(this.name);
    if (!found || !this.canvas.clientWidth) return;
    const frame = Math.min(this.frame ?? found.count - 1, found.count - 1);
    this.range.max = found.count - 1;
    this.range.value = frame;
    const time = `t = ${shown(found.times[frame])}`;
    this.said.textContent = time;
    this.range.setAttribute("aria-valuetext", time);
    const [rows, columns] = found.shape;
    const values = found.values.subarray(frame * found.width, (frame + 1) * found.width);
    const { context, width, height } = prepared(this.canvas);
    const [low, high] = limits(found.values);
    const signed = low < -1e-6 * Math.max(high, 1e-30);
    const top = Math.max(-low, high, 1e-12);
    const scale = { low: signed ? -top : 0, high: top, table: tableOf(signed ? "signed" : "heat") };
    const side = Math.min((width - 80) / columns, (height - 16) / rows);
    image(context, values, rows, columns, { x: 8, y: 8, width: side * columns, height: side * rows }, scale);
    colourBar(context, { x: 18 + side * columns, y: 8, height: Math.max(side * rows, 40) }, scale);
    this.canvas.setAttribute("aria-label", `${this.name} at ${time}, ${rows} by ${columns}, from ${shown(limits(values)[0])} to ${shown(limits(values)[1])}`);
  }
}
