// The page without a server: its controls, its run and its figure.

import { shown } from "./canvas.js";
import { controlOf } from "./controls.js";
import { Table, made } from "./elements.js";
import { Evaluator } from "./evaluate.js";
import { FigureView } from "./figure.js";
import { durationOf, integrate } from "./integrate.js";

const TIMES = 1001; // fewer of a large network
const NUMBERS = 60_000;
const KEPT = 6;
const QUIET = 250;

class Page {
  constructor(network, place) {
    this.network = network;
    this.values = network.sliders.map((slider) => slider.value);
    this.index = new Map(network.sliders.map((slider, k) => [slider.name, k]));
    this.duration = null;
    this.old = [];
    this.summary = made("p", { class: "summary", "aria-live": "polite", "aria-atomic": "true" });
    this.error = made("p", { class: "error", role: "alert" });
    this.doing = made("div", { class: "busy" });
    this.heading = made("h2");
    this.below = made("p", { class: "about" });
    this.note = made("p", { class: "about" });
    this.figure = new FigureView();
    this.clear = made("button", { type: "button", text: "Forget kept curves", class: "hidden", onclick: () => this.forget() });
    this.controls = made("div", { role: "group", "aria-label": "parameters" });
    this.command = made("pre", { tabindex: "0", "aria-label": "command line" });
    const reset = made("button", { type: "button", text: "Back to the beginning", onclick: () => this.back() });
    place.append(made("section", { class: "pane", "aria-label": network.name },
      made("div", { class: "side" }, made("p", { class: "about", text: [network.title, network.reference].filter(Boolean).join(". ") }), this.controls, reset),
      made("div", { class: "view" },
        made("div", { class: "card" }, this.summary, this.error, this.doing, made("div", { class: "bar" },
          made("button", { type: "button", text: "Keep this curve in grey", onclick: () => this.keep() }), this.clear)),
        made("section", { class: "view", "aria-label": "figure" }, made("div", {}, this.heading, this.below, this.note), this.figure.element),
        this.happened(),
        this.theory(),
        made("section", { class: "card", "aria-label": "about this page" }, made("h3", { text: "About this page" }),
          ...network.notes.map((text) => made("p", { class: "about", text })),
          made("p", { class: "about", text: "The same run with brnn, which also saves, sweeps and says what theory predicts:" }), this.command,
          network.equationsText ? made("details", {}, made("summary", { text: "Equations" }), made("pre", { tabindex: "0", "aria-label": "equations", text: network.equationsText })) : null))));
    this.fill();
    this.changed();
    let width = 0;
    new ResizeObserver(() => {
      if (place.clientWidth === width) return;
      width = place.clientWidth;
      this.draw();
    }).observe(place);
  }

  happened() {
    if (!this.network.watches.length) return null;
    this.events = new Table("events", () => [{ head: ["time", "event", "state"], body: this.run.events.map(({ time, name, state, cell }) => [shown(time), name, cell === null ? state : `${state}[${cell}]`]) }]);
    this.counted = made("h3");
    return made("section", { class: "card", "aria-label": "events" }, this.counted, this.events.element);
  }

  theory() {
    this.predicted = made("h3");
    if (!this.network.theory.length) return null;
    const rows = this.network.theory.flatMap(([quantity, words, source]) => [made("dt", { text: quantity }), made("dd", {}, words, made("div", { class: "source", text: source }))]);
    return made("section", { class: "card theory", "aria-label": "what theory says" }, this.predicted, made("dl", {}, ...rows));
  }

  fill() {
    const controls = structuredClone(this.network.controls);
    this.controls.replaceChildren(...controls.map((about) => controlOf(about, this)));
  }

  // As the pane of the served page: a text sets a parameter.
  set(name, text) {
    if (name === "duration (of the run)") this.duration = Number(text);
    else if (this.index.has(name)) this.put(name, Number(text));
    else text.replace(/[[\]\s]/g, "").split(",").forEach((part, k) => this.put(`${name}.${k}`, Number(part)));
    this.changed();
  }

  setElement(about, k, text) {
    this.put(`${about.name}.${k}`, Number(text));
    this.changed();
  }

  reset() {
    this.back();
  }

  put(name, value) {
    const k = this.index.get(name);
    const { low, high, step, stepwise } = this.network.sliders[k];
    if (!(value >= low && value <= high)) this.outside = `${name} = ${value}: this page holds values from ${shown(low)} to ${shown(high)}`;
    this.values[k] = stepwise ? low + step * Math.round((Math.min(Math.max(value, low), high) - low) / step) : value;
  }

  back() {
    this.values = this.network.sliders.map((slider) => slider.value);
    this.duration = null;
    this.fill();
    this.changed();
  }

  get atStart() {
    return this.duration === null && this.network.sliders.every((slider, k) => Math.abs(slider.value - this.values[k]) <= 1e-12 * Math.abs(slider.value));
  }

  // The newest values are run when the browser next draws.
  changed() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      this.show();
    });
  }

  compute(values = this.values, given = null) {
    const v = this.network.constants(values);
    if (v === null) throw new Error("with these values it is another kind of network, which this page does not hold");
    const { step } = this.network;
    const natural = durationOf(this.network, v);
    const duration = Math.min(this.duration ?? natural, natural * this.network.longest);
    const count = step === null ? Math.max(201, Math.min(TIMES, Math.round(NUMBERS / this.network.size))) : Math.round(duration / step) + 1;
    const times = given ?? Float64Array.from({ length: count }, (_, k) => (step === null ? (k * duration) / (count - 1) : k * step));
    const { states, steps, last, end, events } = integrate(this.network, v, duration, times, this.network.tolerance);
    const variables = new Map(this.network.variables.map(({ name, shape, start, size }) => {
      const values_ = new Float64Array(times.length * size);
      for (let k = 0; k < times.length; k += 1) values_.set(states.subarray(k * this.network.size + start, k * this.network.size + start + size), k * size);
      return [name, { name, shape, width: size, count: times.length, times, values: values_ }];
    }));
    return { variables, duration, steps, last, end, events, states, times, v };
  }

  show() {
    const since = performance.now();
    try {
      if (this.outside) throw new Error(this.outside);
      this.run = this.compute();
      this.error.textContent = "";
      const took = performance.now() - since;
      this.answer = new Evaluator(this.network, this.run, this.run.v, this.atStart).figure(this.network.figure, this.network.title);
      this.doing.textContent = `integrated in this browser: ${this.run.steps} steps, ${shown(took)} ms`;
      this.draw();
    } catch (error) {
      this.error.textContent = error.message;
    }
    this.outside = null;
    this.took = performance.now() - since;
    clearTimeout(this.later);
    this.later = setTimeout(() => this.quiet(), QUIET);
  }

  quiet() {
    if (!this.run) return;
    const said = [];
    for (const { name, values, width, count } of this.run.variables.values()) {
      if (!name.endsWith(".x") || said.length > 3) continue;
      const last = values.subarray((count - 1) * width);
      const layer = name.slice(0, -2);
      if (width === 1) said.push(`${layer} ${shown(last[0])}`);
      else {
        const most = last.indexOf(Math.max(...last));
        said.push(`${layer}: cell ${most} is largest with ${shown(last[most])}, total ${shown(last.reduce((a, b) => a + b, 0))}`);
      }
    }
    this.summary.textContent = `${this.network.name} at t = ${shown(this.run.duration)}: ${said.join("; ")}.`;
    const quoted = (text) => (/[^A-Za-z0-9_.,=-]/.test(text) ? `'${text}'` : text);
    const settings = [];
    const lists = new Map();
    this.network.sliders.forEach((slider, k) => {
      if (slider.group) lists.set(slider.group, [...(lists.get(slider.group) || []), this.values[k]]);
      else if (slider.value !== this.values[k]) settings.push(`--set ${quoted(`${slider.name}=${this.values[k]}`)}`);
    });
    for (const [name, values] of lists) {
      const before = this.network.sliders.filter((slider) => slider.group === name).map((slider) => slider.value);
      if (values.some((value, k) => value !== before[k])) settings.push(`--set ${quoted(`${name}=${values.length > 1 ? values.join(",") : `[${values[0]}]`}`)}`);
    }
    const length = this.duration === null ? "" : ` --duration ${this.duration}`;
    this.command.textContent = [this.network.command, ...settings].join(" ") + length;
  }

  draw() {
    if (!this.answer) return;
    this.heading.textContent = this.answer.title;
    this.below.textContent = this.answer.below || "";
    this.note.textContent = this.atStart || !this.network.theoryAtStart ? "" : "What theory says is drawn for the values of the beginning; brnn explore draws it for all.";
    if (this.events) {
      this.counted.textContent = `${this.run.events.length} events`;
      this.events.fill();
    }
    this.predicted.textContent = this.atStart ? "What theory says" : "What theory says of the values of the beginning";
    this.figure.show(this.answer, this.old);
  }

  keep() {
    if (!this.answer || this.old.includes(this.answer)) return;
    this.old = [...this.old, this.answer].slice(-KEPT);
    this.clear.classList.remove("hidden");
  }

  forget() {
    this.old = [];
    this.clear.classList.add("hidden");
    this.draw();
  }
}

export function start(network, place) {
  globalThis.brnn = { page: new Page(network, place) }; // for tests and for the console
}
