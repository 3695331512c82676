// What the marks of a figure refer to, made of the states of a run.

import { limits } from "./canvas.js";

const GRID = 101;
const ROOM = 0.12;

const HOW = {
  same: (x) => x,
  positive: (x) => Math.max(x, 0),
  negative: (x) => Math.min(x, 0),
  minus: (x) => -x,
  exponential: (x) => Math.exp(x),
};

function withShape(values, shape) {
  values.shape = shape;
  return values;
}

export class Evaluator {
  constructor(network, run, v, start) {
    Object.assign(this, { network, run, v, start });
    this.planes = new Map();
  }

  variable(name) {
    return this.run.variables.get(name);
  }

  column(name, cell, how) {
    const { values, width, count } = this.variable(name);
    return Float64Array.from({ length: count }, (_, k) => HOW[how](values[k * width + cell]));
  }

  total(name, how) {
    const { values, width, count } = this.variable(name);
    return Float64Array.from({ length: count }, (_, k) => {
      let sum = 0;
      for (let i = 0; i < width; i += 1) sum += HOW[how](values[k * width + i]);
      return sum;
    });
  }

  frame(name, part) {
    const { values, width, count } = this.variable(name);
    const k = Math.round(part * (count - 1));
    return Float64Array.from(values.subarray(k * width, (k + 1) * width));
  }

  shares(values) {
    const sum = values.reduce((a, b) => a + b, 0);
    return sum === 0 ? values.map(() => 0) : values.map((value) => value / sum);
  }

  // One reference as an array, or a number.
  value(ref) {
    if (ref === null || typeof ref !== "object") return ref;
    if (Array.isArray(ref)) return ref.map((one) => this.value(one));
    switch (ref.ref) {
      case "times": return Float64Array.from(this.variable(ref.of).times);
      case "column": return this.column(ref.of, ref.cell, ref.how);
      case "total": return this.total(ref.of, ref.how);
      case "share": {
        const own = this.column(ref.of, ref.cell, ref.how);
        const all = this.total(ref.of, ref.how);
        return own.map((value, k) => (all[k] === 0 ? 0 : value / all[k]));
      }
      case "combination": {
        const parts = ref.parts.map(([factor, one]) => [factor, this.value(one)]);
        return parts[0][1].map((_, k) => ref.start + parts.reduce((sum, [factor, values]) => sum + factor * values[k], 0));
      }
      case "matrix": {
        const { values, width, count } = this.variable(ref.of);
        if (!ref.turned) return withShape(Float64Array.from(values), [count, width]);
        const turned = new Float64Array(width * count);
        for (let k = 0; k < count; k += 1) for (let i = 0; i < width; i += 1) turned[i * count + k] = values[k * width + i];
        return withShape(turned, [width, count]);
      }
      case "edges": {
        const { times } = this.variable(ref.of);
        return Float64Array.from({ length: times.length + 1 }, (_, k) => (k === 0 ? times[0] : k === times.length ? times.at(-1) : 0.5 * (times[k - 1] + times[k])));
      }
      case "frame": {
        const found = this.frame(ref.of, ref.part);
        return withShape(ref.shares ? this.shares(found) : found, ref.shape);
      }
      case "slot": {
        const found = this.v.slice(ref.at, ref.at + ref.count);
        return withShape(ref.shares ? this.shares(found) : found, ref.shape);
      }
      case "one": {
        const found = this.value(ref.of);
        return new Float64Array([found.at(ref.last ? -1 : 0)]);
      }
      case "number": return this.v[ref.at];
      case "end": return this.run.duration;
      case "room": {
        const [low, high] = limits(this.value(ref.of));
        const room = ROOM * (high > low ? high - low : 1);
        return [low - room, high + room];
      }
      case "nullcline": return this.nullcline(ref);
      case "array": return withShape(Float64Array.from(ref.values, (value) => value ?? NaN), ref.shape);
      default: return ref;
    }
  }

  // Where one of two rates is 0 in the plane of two unknowns: pieces of a line, with gaps between them.
  nullcline({ places, limits: ends, which, axis }) {
    const key = JSON.stringify([places, ends, which]);
    if (!this.planes.has(key)) this.planes.set(key, this.contour(places, ends.map((one) => this.value(one)), which));
    return this.planes.get(key)[axis];
  }

  contour([a, b], [[x0, x1], [y0, y1]], which) {
    const state = Float64Array.from(this.run.end);
    const rate = new Float64Array(state.length);
    const rates = new Float64Array(GRID * GRID);
    const x = (k) => x0 + ((x1 - x0) * k) / (GRID - 1);
    const y = (k) => y0 + ((y1 - y0) * k) / (GRID - 1);
    for (let row = 0; row < GRID; row += 1) {
      for (let column = 0; column < GRID; column += 1) {
        state[a] = x(column);
        state[b] = y(row);
        this.run.last(this.run.duration, state, rate);
        rates[row * GRID + column] = rate[which ? b : a];
      }
    }
    const xs = [];
    const ys = [];
    for (let row = 0; row + 1 < GRID; row += 1) {
      for (let column = 0; column + 1 < GRID; column += 1) {
        const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]].map(([c, r]) => [x(c), y(r), rates[r * GRID + c]]);
        const found = [];
        for (let k = 0; k < 4; k += 1) {
          const [p, q] = [corners[k], corners[(k + 1) % 4]];
          if (p[2] < 0 === q[2] < 0) continue;
          const part = p[2] / (p[2] - q[2]);
          found.push([p[0] + part * (q[0] - p[0]), p[1] + part * (q[1] - p[1])]);
        }
        for (let k = 0; k + 1 < found.length; k += 2) {
          xs.push(found[k][0], found[k + 1][0], NaN);
          ys.push(found[k][1], found[k + 1][1], NaN);
        }
      }
    }
    return { x: Float64Array.from(xs), y: Float64Array.from(ys) };
  }

  // The whole figure; what theory said of the beginning alone is left out as soon as anything was moved.
  figure(template, usual) {
    const text = (value) => (value && typeof value === "object" && value.ref === "text" ? (this.start ? value.text : "") : value);
    const rows = template.rows.map((row) => row.map((panel) => {
      const found = {};
      for (const [name, value] of Object.entries(panel)) if (name !== "marks") found[name] = this.value(text(value));
      found.marks = panel.marks.filter((mark) => this.start || !mark.beginning).map((mark) => {
        const made = {};
        for (const [name, value] of Object.entries(mark)) made[name] = this.value(text(value));
        return made;
      });
      return found;
    }));
    return { title: text(template.title) || usual, below: text(template.below), heights: template.heights, rows };
  }
}
