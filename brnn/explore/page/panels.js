// The panels of a figure: each draws one part of a run, and has a table behind it.

import { Axes, colourBar, image, limits, prepared, scaleOf, shown, styleOf } from "./canvas.js";
import { Table, fresh, made } from "./elements.js";

const ROWS = 21;
const COLUMNS = 24;

function element(run, place) {
  const found = run.variables.get(place.variable);
  if (!found) return null;
  const values = new Float32Array(found.count);
  for (let k = 0; k < found.count; k += 1) values[k] = found.values[k * found.width + place.element];
  return { times: found.times, values };
}

function chosen(count) {
  const rows = Math.min(count, ROWS);
  return Array.from({ length: rows }, (_, k) => Math.round((k * (count - 1)) / Math.max(rows - 1, 1)));
}

function swatch(style) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 32 10");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "line");
  const parts = { x1: 0, x2: 32, y1: 5, y2: 5, stroke: style.colour, "stroke-width": 3, "stroke-dasharray": (style.dash || []).join(" ") };
  for (const [name, value] of Object.entries(parts)) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}

export class Panel {
  constructor(about, units) {
    this.about = about;
    this.time = units === "1" ? "time" : `time (${units})`;
    this.frame = null;
    this.canvas = made("canvas", { role: "img" });
    this.legend = made("ul", { class: "legend" });
    this.extra = made("div");
    this.table = new Table(about.title, () => this.rows());
    this.element = made("figure", { class: "card" }, made("figcaption", { text: about.title }), this.canvas, this.legend, this.extra, this.table.element);
    if (about.kind === "lines" && about.series.length > 1) {
      this.legend.append(...about.series.map((series, k) => made("li", {}, swatch(styleOf(k)), series.label)));
    }
    if (about.kind === "field" || about.kind === "matrix") this.addFrames();
  }

  addFrames() {
    const id = fresh("frame");
    this.range = made("input", { type: "range", id, min: 0, max: 1, step: 1, value: 1, oninput: () => this.choose(Number(this.range.value)) });
    this.said = made("output", { for: id });
    this.extra.append(made("div", { class: "frames" }, made("label", { for: id, text: "time" }), this.range, this.said));
  }

  choose(frame) {
    this.frame = frame === Number(this.range.max) ? null : frame;
    this.draw(this.run, this.old, this.theory);
  }

  draw(run, old = [], theory = []) {
    Object.assign(this, { run, old, theory });
    if (!run) return;
    this[this.about.kind]();
    this.table.fill();
  }

  end() {
    return this.run.header.reached;
  }

  lines() {
    const { series } = this.about;
    const found = series.map((place) => element(this.run, place)).filter(Boolean);
    if (!found.length) return;
    const before = this.old.flatMap((run) => series.map((place) => element(run, place)).filter(Boolean));
    const levels = this.levels();
    const all = [...found, ...before];
    const spans = all.map((line) => limits(line.values));
    const low = Math.min(...spans.map((s) => s[0]), ...levels.map((l) => l.value));
    const high = Math.max(...spans.map((s) => s[1]), ...levels.map((l) => l.value));
    const first = found[0].times;
    const axes = new Axes(this.canvas, [first[0], first[first.length - 1]], [low, high], { x: this.time, y: this.about.label });
    axes.frame(this.run.header.inputs);
    for (const line of before) axes.line(line.times, line.values, { old: true });
    found.forEach((line, k) => axes.line(line.times, line.values, styleOf(k)));
    for (const level of levels) axes.level(level.from, level.to, level.value, level.colour);
    axes.done();
    const ends = found.slice(0, 6).map((line, k) => `${series[k].label} ${shown(line.values[line.values.length - 1])}`);
    this.canvas.setAttribute("aria-label", `${this.about.title} over time; at the end ${ends.join(", ")}`);
  }

  // What theory says of these elements, dashed where it holds.
  levels() {
    const result = [];
    for (const said of this.theory) {
      this.about.series?.forEach((place, k) => {
        const all = said.quantity === place.variable;
        const stored = said.quantity === "stored" && place.variable.endsWith(".x");
        const width = this.run.variables.get(place.variable)?.width;
        if (!(all || stored) || !said.value || (said.value.length !== width && said.value.length !== 1)) return;
        const value = said.value[said.value.length === 1 ? 0 : place.element];
        const [from, to] = said.during || [0.6 * this.end(), this.end()];
        result.push({ from, to: Math.min(to, this.end()), value, colour: styleOf(k).colour });
      });
    }
    return result;
  }

  image() {
    const found = this.run.variables.get(this.about.variable);
    if (!found) return;
    const rows = Math.min(found.width, 400);
    const times = found.count;
    const values = new Float32Array(rows * times);
    // The saved times may not be evenly spaced: columns are.
    const [start, stop] = [found.times[0], found.times[times - 1]];
    let k = 0;
    for (let c = 0; c < times; c += 1) {
      const time = start + ((stop - start) * c) / Math.max(times - 1, 1);
      while (k < times - 1 && Math.abs(found.times[k + 1] - time) <= Math.abs(found.times[k] - time)) k += 1;
      for (let r = 0; r < rows; r += 1) values[(rows - 1 - r) * times + c] = found.values[k * found.width + Math.floor((r * found.width) / rows)];
    }
    const scale = scaleOf(found.values);
    const axes = new Axes(this.canvas, [start, stop], [-0.5, found.width - 0.5], { x: this.time, y: "cell", exact: true }, 62);
    axes.frame();
    image(axes.context, values, rows, times, { x: axes.left, y: axes.top, width: axes.right - axes.left, height: axes.bottom - axes.top }, scale);
    axes.done();
    colourBar(axes.context, { x: axes.right + 8, y: axes.top, height: axes.bottom - axes.top }, scale);
    this.canvas.setAttribute("aria-label", `${this.about.title} over time, ${found.width} cells, from ${shown(limits(found.values)[0])} to ${shown(limits(found.values)[1])}`);
  }

  field() {
    const found = this.run.variables.get(this.about.variable);
    if (!found) return;
    const frame = Math.min(this.frame ?? found.count - 1, found.count - 1);
    this.range.max = found.count - 1;
    this.range.value = frame;
    const time = `t = ${shown(found.times[frame])}`;
    this.said.textContent = time;
    this.range.setAttribute("aria-valuetext", time);
    const [rows, columns] = found.shape.length > 1 ? [found.width / found.shape.at(-1), found.shape.at(-1)] : [1, found.width];
    const values = found.values.subarray(frame * found.width, (frame + 1) * found.width);
    const { context, width, height } = prepared(this.canvas);
    const scale = scaleOf(found.values);
    const side = Math.min((width - 80) / columns, (height - 16) / rows);
    const place = { x: 8 + (width - 80 - side * columns) / 2, y: 8, width: side * columns, height: side * rows };
    image(context, values, rows, columns, place, scale);
    context.strokeStyle = "#1b1f24";
    context.lineWidth = 1;
    context.strokeRect(place.x - 0.5, place.y - 0.5, place.width + 1, place.height + 1);
    colourBar(context, { x: place.x + place.width + 10, y: 8, height: Math.max(place.height, 40) }, scale);
    this.canvas.setAttribute("aria-label", `${this.about.title} at ${time}, ${rows} by ${columns}, from ${shown(limits(values)[0])} to ${shown(limits(values)[1])}`);
  }

  matrix() {
    this.field();
  }

  phase() {
    const lineOf = (run) => [element(run, this.about.x), element(run, this.about.y)];
    const [x, y] = lineOf(this.run);
    if (!x || !y) return;
    const before = this.old.map(lineOf).filter(([a, b]) => a && b);
    const xs = [x, ...before.map((b) => b[0])].map((line) => limits(line.values));
    const ys = [y, ...before.map((b) => b[1])].map((line) => limits(line.values));
    const range = (spans) => [Math.min(...spans.map((s) => s[0])), Math.max(...spans.map((s) => s[1]))];
    const [a, b] = range(xs);
    const room = 0.04 * (b - a || 1);
    const axes = new Axes(this.canvas, [a - room, b + room], range(ys), { x: this.about.x.label, y: this.about.y.label });
    axes.frame();
    for (const [p, q] of before) axes.line(p.values, q.values, { old: true });
    axes.line(x.values, y.values, styleOf(0));
    const last = x.values.length - 1;
    axes.dot(x.values[0], y.values[0], "#1b1f24", false);
    axes.dot(x.values[last], y.values[last], "#d55e00");
    axes.done();
    this.canvas.setAttribute("aria-label", `phase plane: from ${shown(x.values[0])}, ${shown(y.values[0])} to ${shown(x.values[last])}, ${shown(y.values[last])}`);
  }

  rows() {
    if (!this.run) return { head: [], body: [] };
    if (["field", "matrix"].includes(this.about.kind)) return this.fieldRows();
    let places = this.about.series;
    if (this.about.kind === "phase") places = [this.about.x, this.about.y];
    if (this.about.kind === "image") {
      const width = this.run.variables.get(this.about.variable).width;
      places = Array.from({ length: Math.min(width, COLUMNS) }, (_, k) => {
        const cell = Math.round((k * (width - 1)) / Math.max(Math.min(width, COLUMNS) - 1, 1));
        return { variable: this.about.variable, element: cell, label: `cell ${cell}` };
      });
    }
    const found = places.map((place) => element(this.run, place));
    const times = found[0].times;
    const body = chosen(times.length).map((row) => [shown(times[row]), ...found.map((line) => shown(line.values[row]))]);
    return { head: [this.time, ...places.map((place) => place.label)], body };
  }

  fieldRows() {
    const found = this.run.variables.get(this.about.variable);
    const frame = Math.min(this.frame ?? found.count - 1, found.count - 1);
    const columns = found.shape.length > 1 ? found.shape.at(-1) : found.width;
    const rows = found.width / columns;
    const some = (count) => Array.from({ length: Math.min(count, COLUMNS) }, (_, k) => Math.round((k * (count - 1)) / Math.max(Math.min(count, COLUMNS) - 1, 1)));
    const body = some(rows).map((r) => [`row ${r}`, ...some(columns).map((c) => shown(found.values[frame * found.width + r * columns + c]))]);
    return { head: [`t = ${shown(found.times[frame])}`, ...some(columns).map((c) => `column ${c}`)], body };
  }
}

// The pattern that a layer was given beside the one that it made of it, each as shares of its total where that means something.
export class Stored {
  constructor(variable) {
    this.variable = variable;
    this.canvas = made("canvas", { role: "img" });
    this.legend = made("ul", { class: "legend" });
    this.table = new Table(`${variable} stored`, () => this.rows());
    this.title = made("figcaption", { text: `${variable.replace(/\.x$/, "")}: stored pattern` });
    this.element = made("figure", { class: "card" }, this.title, this.canvas, this.legend, this.table.element);
  }

  draw(run, theory = []) {
    const about = run.header.stored.find((one) => one.variable === this.variable);
    if (!about) return;
    this.about = about;
    this.predicted = theory.find((said) => said.quantity === "stored" && said.value?.length === about.values.length)?.value ?? null;
    if (about.shape.length > 1) this.images();
    else this.bars();
    this.table.fill();
  }

  parts(values) {
    const total = values.reduce((a, b) => a + b, 0);
    return this.shares ? values.map((value) => value / total) : values;
  }

  bars() {
    const { values, given, start, end } = this.about;
    const fine = (list) => Math.min(...list) >= -1e-9 && list.reduce((a, b) => a + b, 0) > 1e-9;
    this.shares = fine(values) && (!given || fine(given));
    const now = this.parts(values);
    const before = given ? this.parts(given) : null;
    const predicted = this.predicted && fine(this.predicted) === this.shares ? this.parts(this.predicted) : null;
    const all = [...now, ...(before || []), 0];
    const axes = new Axes(this.canvas, [-0.6, values.length - 0.4], limits(all), { x: "cell", y: this.shares ? "share of the total" : "activity" });
    axes.frame();
    now.forEach((value, k) => axes.bar(k, 0.7, value, styleOf(0).colour, true));
    before?.forEach((value, k) => axes.bar(k, 0.82, value, "#1b1f24", false));
    predicted?.forEach((value, k) => axes.dot(k, value, styleOf(1).colour, false, 5));
    axes.done();
    const keys = [made("li", {}, swatch({ colour: styleOf(0).colour }), end)];
    if (before) keys.push(made("li", {}, swatch({ colour: "#1b1f24", dash: [] }), `${start} (outline)`));
    if (predicted) keys.push(made("li", {}, swatch({ colour: styleOf(1).colour, dash: [3, 3] }), "predicted (circles)"));
    this.legend.replaceChildren(...keys);
    this.canvas.setAttribute("aria-label", `pattern ${end}${before ? ` beside the one ${start}` : ""}, ${values.length} cells`);
  }

  images() {
    const { values, given, start, end, shape } = this.about;
    const [rows, columns] = [values.length / shape.at(-1), shape.at(-1)];
    const { context, width, height } = prepared(this.canvas);
    const shownOnes = [...(given ? [[start, given]] : []), [end, values]];
    const room = width / shownOnes.length;
    shownOnes.forEach(([words, list], k) => {
      const side = Math.min((room - 70) / columns, (height - 30) / rows);
      const place = { x: k * room + 8, y: 22, width: side * columns, height: side * rows };
      const scale = scaleOf(list);
      image(context, list, rows, columns, place, scale);
      context.fillStyle = "#1b1f24";
      context.textAlign = "left";
      context.textBaseline = "top";
      context.fillText(words, place.x, 4);
      colourBar(context, { x: place.x + place.width + 6, y: place.y, height: Math.max(place.height, 40) }, scale);
    });
    this.canvas.setAttribute("aria-label", `pattern ${end}${given ? ` beside the one ${start}` : ""}, ${rows} by ${columns}`);
  }

  rows() {
    if (!this.about) return { head: [], body: [] };
    const { values, given, start, end } = this.about;
    const body = values.slice(0, 200).map((value, k) => {
      const row = [String(k), shown(value)];
      if (given) row.push(shown(given[k]));
      if (this.predicted) row.push(shown(this.predicted[k]));
      return row;
    });
    const head = ["cell", end, ...(given ? [start] : []), ...(this.predicted ? ["predicted"] : [])];
    return { head, body };
  }
}
