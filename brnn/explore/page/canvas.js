// Drawing on a canvas: axes, lines, images, bars. Colours are those of Okabe and Ito, which stay apart for the colour-blind.

export const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#000000", "#7a5195"];
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3]];
const INK = "#1b1f24";
const GRID = "#e1e5e9";
const NOTE = 7; // half the height of a note
export const GREY = "#a7adb4";

export function styleOf(index) {
  const row = Math.floor(index / COLOURS.length);
  return { colour: COLOURS[index % COLOURS.length], dash: DASHES[row % DASHES.length] };
}

export function ticks(low, high, most = 6) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const raw = span / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((f) => f * power >= raw * 0.999) || 10);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * span; k += 1) found.push(k * step);
  return found;
}

export function shown(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

// The canvas in units of the page, however fine the screen is.
export function prepared(canvas) {
  const scale = Math.min(globalThis.devicePixelRatio || 1, 3);
  const width = Math.max(canvas.clientWidth, 120);
  const height = Math.max(canvas.clientHeight, 60);
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, 'DejaVu Sans', sans-serif";
  context.lineJoin = "round";
  return { context, width, height };
}

function padded(low, high) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
  if (low === high) return low === 0 ? [-0.05, 1] : [low - 0.1 * Math.abs(low), high + 0.1 * Math.abs(high)];
  const room = 0.04 * (high - low);
  return [low < 0 || low > 0.3 * high ? low - room : Math.min(0, low) - room * 0.3, high + room];
}

function part(value, low, high, log) {
  if (!log) return (value - low) / (high - low);
  return value > 0 ? Math.log(value / low) / Math.log(high / low) : -1;
}

function decades(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const step = Math.max(1, Math.ceil((last - first) / 6));
  const found = [];
  for (let k = first; k <= last; k += step) found.push(10 ** k);
  return found.length > 1 ? found : [low, high];
}

function nameOf(given) {
  const names = new Map(given || []);
  return (mark) => names.get(mark) ?? shown(mark);
}

// Axes with their labels; x and y turn values into places.
export class Axes {
  constructor(canvas, x, y, words, right = 12) {
    Object.assign(this, prepared(canvas));
    [this.x0, this.x1] = x;
    [this.y0, this.y1] = words.exact || words.logY ? y : padded(...y);
    if (this.x0 === this.x1) this.x1 = this.x0 + 1;
    if (this.y0 === this.y1) this.y1 = this.y0 + 1;
    const marks = words.yTicks ? words.yTicks.map(([place]) => place) : words.logY ? decades(this.y0, this.y1) : ticks(Math.min(this.y0, this.y1), Math.max(this.y0, this.y1), 5);
    this.yName = nameOf(words.yTicks);
    this.xName = nameOf(words.xTicks);
    this.context.fillStyle = INK;
    const wide = Math.max(...marks.map((mark) => this.context.measureText(this.yName(mark)).width), 12);
    this.left = wide + 28;
    this.right = this.width - right;
    this.top = 8;
    this.bottom = this.height - 36;
    this.marks = marks;
    this.words = words;
    if (words.square) this.equal();
  }

  // One scale for both axes: the shorter one is made longer.
  equal() {
    const x = (this.x1 - this.x0) / (this.right - this.left);
    const y = (this.y1 - this.y0) / (this.bottom - this.top);
    if (x < y) {
      const more = 0.5 * (y - x) * (this.right - this.left);
      [this.x0, this.x1] = [this.x0 - more, this.x1 + more];
    } else {
      const more = 0.5 * (x - y) * (this.bottom - this.top);
      [this.y0, this.y1] = [this.y0 - more, this.y1 + more];
      if (!this.words.yTicks) this.marks = ticks(this.y0, this.y1, 5);
    }
  }

  x(value) {
    return this.left + part(value, this.x0, this.x1, this.words.logX) * (this.right - this.left);
  }

  y(value) {
    return this.bottom - part(value, this.y0, this.y1, this.words.logY) * (this.bottom - this.top);
  }

  frame(spans = []) {
    const { context: c } = this;
    for (const [from, to, colour] of spans) {
      c.fillStyle = colour || "#f6ecd4";
      const a = Math.max(this.x(from), this.left);
      c.fillRect(a, this.top, Math.max(Math.min(this.x(to), this.right) - a, 1), this.bottom - this.top);
    }
    c.lineWidth = 1;
    c.strokeStyle = GRID;
    c.fillStyle = INK;
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const mark of this.marks) {
      const y = this.y(mark);
      c.beginPath();
      c.moveTo(this.left, y);
      c.lineTo(this.right, y);
      c.stroke();
      c.fillText(this.yName(mark), this.left - 5, y);
    }
    c.textAlign = "center";
    c.textBaseline = "top";
    const most = Math.max(2, Math.floor((this.right - this.left) / 70));
    const places = this.words.xTicks ? this.words.xTicks.map(([place]) => place) : this.words.logX ? decades(this.x0, this.x1) : ticks(this.x0, this.x1, most);
    for (const mark of places) {
      const x = this.x(mark);
      c.beginPath();
      c.moveTo(x, this.bottom);
      c.lineTo(x, this.bottom + 4);
      c.strokeStyle = INK;
      c.stroke();
      const name = this.xName(mark);
      c.fillText(name, Math.min(x, this.width - c.measureText(name).width / 2), this.bottom + 6); // else the last is cut
    }
    c.strokeStyle = INK;
    c.beginPath();
    c.moveTo(this.left, this.top);
    c.lineTo(this.left, this.bottom);
    c.lineTo(this.right, this.bottom);
    c.stroke();
    c.fillText(this.words.x, (this.left + this.right) / 2, this.height - 15);
    c.save();
    c.translate(11, (this.top + this.bottom) / 2);
    c.rotate(-Math.PI / 2);
    c.textBaseline = "middle";
    c.fillText(this.words.y, 0, 0);
    c.restore();
    c.save();
    c.beginPath();
    c.rect(this.left, this.top - 4, this.right - this.left + 4, this.bottom - this.top + 8);
    c.clip();
  }

  done() {
    this.context.restore();
  }

  line(xs, ys, style, width = 1.8) {
    const { context: c } = this;
    c.strokeStyle = style.colour;
    c.lineWidth = width;
    c.setLineDash(style.dash || []);
    c.beginPath();
    let pen = false;
    for (let k = 0; k < xs.length; k += 1) {
      if (ys[k] === null || Number.isNaN(ys[k])) {
        pen = false;
        continue;
      }
      if (pen) c.lineTo(this.x(xs[k]), this.y(ys[k]));
      else c.moveTo(this.x(xs[k]), this.y(ys[k]));
      pen = true;
    }
    c.stroke();
    c.setLineDash([]);
  }

  // A value holds until the next.
  steps(xs, ys, style) {
    const x = [];
    const y = [];
    for (let k = 0; k < xs.length; k += 1) {
      if (k) {
        x.push(xs[k]);
        y.push(ys[k - 1]);
      }
      x.push(xs[k]);
      y.push(ys[k]);
    }
    this.line(x, y, style, style.width);
  }

  area(xs, low, high, colour) {
    const { context: c } = this;
    c.beginPath();
    for (let k = 0; k < xs.length; k += 1) c.lineTo(this.x(xs[k]), this.y(high[k]));
    for (let k = xs.length - 1; k >= 0; k -= 1) c.lineTo(this.x(xs[k]), this.y(low[k]));
    c.globalAlpha = 0.22;
    c.fillStyle = colour;
    c.fill();
    c.globalAlpha = 1;
  }

  note(x, y, text, side, colour) {
    const { context: c } = this;
    const [dx, dy] = { right: [6, 0], left: [-6, 0], above: [0, -7], below: [0, 7] }[side];
    c.fillStyle = colour;
    c.textAlign = "left";
    c.textBaseline = "middle";
    // Within the panel, whose edge would cut it: then beside its point, so as not to lie on it.
    const { width } = c.measureText(text);
    const within = (at, low, high) => Math.max(low, Math.min(at, high));
    const wanted = this.y(y) + dy + NOTE * ({ above: -1, below: 1 }[side] || 0);
    const middle = within(wanted, this.top + NOTE, this.bottom - NOTE);
    const beside = middle === wanted ? this.x(x) + dx - width * ({ right: 0, left: 1 }[side] ?? 0.5) : this.x(x) + 8;
    c.fillText(text, within(beside, this.left + 2, this.right - width - 2), middle);
  }

  // Numbers as colours between the edges of columns and rows, which need not be evenly spaced.
  picture(mark, scale) {
    const [rows, columns] = mark.values.shape;
    const wide = Math.max(1, Math.round(this.right - this.left));
    const cells = new Float32Array(rows * wide);
    let column = 0;
    for (let k = 0; k < wide; k += 1) {
      const x = this.x0 + ((k + 0.5) / wide) * (this.x1 - this.x0);
      while (column < columns - 1 && mark.x[column + 1] < x) column += 1;
      for (let row = 0; row < rows; row += 1) cells[(rows - 1 - row) * wide + k] = mark.values[row * columns + column];
    }
    const top = this.y(mark.y[rows]);
    image(this.context, cells, rows, wide, { x: this.left, y: top, width: this.right - this.left, height: this.y(mark.y[0]) - top }, scale);
  }

  dot(x, y, colour, filled = true, size = 4) {
    const { context: c } = this;
    c.beginPath();
    c.arc(this.x(x), this.y(y), size, 0, 2 * Math.PI);
    c.lineWidth = 1.8;
    c.strokeStyle = colour;
    c.fillStyle = filled ? colour : "#fff";
    c.fill();
    c.stroke();
  }

  bar(x, width, value, colour, filled) {
    const { context: c } = this;
    const a = this.x(x - width / 2);
    const b = this.x(x + width / 2);
    const top = this.y(Math.max(value, 0));
    const bottom = this.y(Math.min(value, 0));
    if (filled) {
      c.fillStyle = colour;
      c.fillRect(a, top, Math.max(b - a, 1), bottom - top);
    } else {
      c.strokeStyle = colour;
      c.lineWidth = 1.6;
      c.strokeRect(a, top, Math.max(b - a, 1), bottom - top);
    }
  }
}

// Cividis by its stations: it rises in lightness all along, so that it reads in grey as well.
const RISING = [[0, 34, 78], [53, 69, 108], [102, 105, 112], [148, 142, 119], [200, 184, 102], [254, 232, 56]];
const BOTH = [[5, 48, 97], [67, 147, 195], [247, 247, 247], [214, 96, 77], [103, 0, 31]];

function colourAt(stations, part) {
  const place = Math.min(Math.max(part, 0), 1) * (stations.length - 1);
  const k = Math.min(Math.floor(place), stations.length - 2);
  return stations[k].map((value, i) => Math.round(value + (place - k) * (stations[k + 1][i] - value)));
}

const SHADE = [[158, 188, 218], [120, 150, 200], [84, 110, 170], [50, 66, 120], [18, 24, 60]];
const TABLES = Object.fromEntries(Object.entries({ heat: RISING, signed: BOTH, gray: [[0, 0, 0], [255, 255, 255]], shade: SHADE }).map(([name, stations]) => [name, Array.from({ length: 256 }, (_, k) => colourAt(stations, k / 255))]));

export function tableOf(name) {
  return TABLES[name] || TABLES.heat;
}

// A colour from light to dark, for what is ordered.
export function shaded(place) {
  return `rgb(${colourAt(SHADE, place).join(",")})`;
}

export function limits(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || Number.isNaN(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return Number.isFinite(low) ? [low, high] : [0, 1];
}

// How values become colours: from 0 up, or, where there are values of both signs, away from 0.
export function scaleOf(values) {
  const [low, high] = limits(values);
  if (low < -1e-6 * Math.max(Math.abs(high), 1e-30)) {
    const top = Math.max(-low, high);
    return { low: -top, high: top, table: TABLES.signed };
  }
  return { low: Math.min(low, 0), high: high > 0 ? high : 1, table: TABLES.heat };
}

let scratch = null;

// rows x columns values as an image within a rectangle, the first row at the top.
export function image(context, values, rows, columns, place, scale) {
  scratch = scratch || document.createElement("canvas");
  scratch.width = columns;
  scratch.height = rows;
  const inner = scratch.getContext("2d");
  const data = inner.createImageData(columns, rows);
  const factor = 255 / (scale.high - scale.low);
  for (let k = 0; k < rows * columns; k += 1) {
    const colour = scale.table[Math.min(Math.max(Math.round((values[k] - scale.low) * factor), 0), 255)];
    data.data.set([colour[0], colour[1], colour[2], 255], 4 * k);
  }
  inner.putImageData(data, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(scratch, place.x, place.y, place.width, place.height);
}

export function colourBar(context, place, scale) {
  for (let k = 0; k < place.height; k += 1) {
    const [r, g, b] = scale.table[255 - Math.round((255 * k) / place.height)];
    context.fillStyle = `rgb(${r},${g},${b})`;
    context.fillRect(place.x, place.y + k, 10, 1.5);
  }
  context.fillStyle = INK;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(shown(scale.high), place.x + 14, place.y - 2);
  context.textBaseline = "bottom";
  context.fillText(shown(scale.low), place.x + 14, place.y + place.height + 2);
}
