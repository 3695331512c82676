// One pane: a model, its controls, its figure, what theory says of it, and what can be copied or saved.

import { Latest, json, post, run } from "./ask.js";
import { shown } from "./canvas.js";
import { controlOf } from "./controls.js";
import { fresh, made } from "./elements.js";
import { FigureView, Movie } from "./figure.js";
import { WhatIf } from "./whatif.js";

const PATIENT = 250; // milliseconds after which the page says what is being done
const QUIET = 150; // milliseconds without a new run after which theory is asked
const KEPT = 6;

export class Pane {
  constructor(number, models, told) {
    this.number = number;
    this.told = told;
    this.settings = new Map();
    this.extra = new Map();
    this.model = null;
    this.movies = [];
    this.old = [];
    this.timings = [];
    this.answer = null;
    this.resting = false;
    this.build(models);
    this.describing = new Latest((query, signal) => json("api/model", query, signal), (found) => this.describe(found), (error) => this.fail(error));
    this.running = new Latest((query, since, signal) => run(query, signal, true), (found, query, since) => this.show(found, since), (error) => this.fail(error));
    this.completing = new Latest((query, signal) => run(query, signal), (found, query) => this.complete(found, query), () => {});
    this.asking = new Latest((query, signal) => json("api/theory", query, signal), (found) => this.say(found), (error) => this.say({ predictions: [], why_not: error.message }));
    this.copying = new Latest((query, signal) => json("api/texts", query, signal), (found) => this.texts(found), () => {});
  }

  build(models) {
    const name = this.number ? "second pane" : "first pane";
    const id = fresh("model");
    this.chooser = made("select", { id, "data-name": "model", onchange: () => this.choose(this.chooser.value) }, ...models.map((m) => made("option", { value: m.name, text: m.name })));
    this.title = made("p", { class: "about" });
    this.controls = made("div", { role: "group", "aria-label": "parameters" });
    this.summary = made("p", { class: "summary", "aria-live": "polite", "aria-atomic": "true" });
    this.error = made("p", { class: "error", role: "alert" });
    this.warning = made("p", { class: "warning" });
    this.meter = made("progress", { max: 1, class: "hidden", "aria-label": "progress of the run" });
    this.doing = made("span");
    this.heading = made("h2");
    this.below = made("p", { class: "about" });
    this.figure = new FigureView();
    this.more = made("div", { class: "row" });
    this.predicted = made("div");
    this.equations = made("pre", { tabindex: "0", "aria-label": "equations" });
    this.command = made("pre", { tabindex: "0", "aria-label": "command line" });
    this.script = made("pre", { tabindex: "0", "aria-label": "Python script" });
    this.whatIf = new WhatIf(this);
    const file = fresh("file");
    this.file = made("input", { type: "text", id: file, spellcheck: "false" });
    this.copied = made("span", { role: "status", class: "about" });
    this.clear = made("button", { type: "button", text: "Forget kept curves", class: "hidden", onclick: () => this.forget() });
    const copy = (text, from) => made("button", { type: "button", text, onclick: () => this.copy(from.textContent) });
    this.element = made("section", { class: "pane", "aria-label": name },
      made("div", { class: "side" },
        made("div", { class: "control" }, made("label", { for: id, text: "model" }), made("span"), this.chooser),
        this.title, this.controls),
      made("div", { class: "view" },
        made("div", { class: "card" }, this.summary, this.error, this.warning, made("div", { class: "busy" }, this.meter, this.doing),
          made("div", { class: "bar" },
            made("button", { type: "button", text: "Keep this curve in grey", onclick: () => this.keep() }), this.clear)),
        made("section", { class: "view", "aria-label": "figure" }, made("div", {}, this.heading, this.below), this.figure.element, this.more),
        made("section", { class: "card theory", "aria-label": "what theory says" }, made("h3", { text: "What theory says" }), this.predicted),
        this.whatIf.element,
        made("section", { class: "card", "aria-label": "take it with you" }, made("h3", { text: "Take it with you" }),
          made("div", { class: "bar" }, copy("Copy the command line", this.command), copy("Copy the Python script", this.script)),
          made("div", { class: "bar" }, made("label", { for: file, text: "file" }), this.file, made("button", { type: "button", text: "Save the result", onclick: () => this.save() })),
          this.copied,
          made("details", {}, made("summary", { text: "Command line and script" }), this.command, this.script),
          made("details", {}, made("summary", { text: "Equations" }), this.equations))));
  }

  // The state of the pane, as an address carries it.
  query() {
    const query = new URLSearchParams({ model: this.name });
    for (const [name, text] of this.settings) query.append("set", `${name}=${text}`);
    for (const [name, text] of this.extra) query.append(name, text);
    return query;
  }

  start(query) {
    this.name = query.get("model");
    for (const setting of query.getAll("set")) {
      const [name, ...rest] = setting.split("=");
      this.settings.set(name, rest.join("="));
    }
    for (const name of ["duration", "seed"]) if (query.has(name)) this.extra.set(name, query.get(name));
    this.changed(true);
  }

  choose(name) {
    this.name = name;
    this.settings.clear();
    this.extra.clear();
    this.forget();
    this.changed(true);
  }

  set(name, text, structural) {
    this.settings.set(name, text);
    this.changed(structural);
  }

  // One element of an array of numbers: the whole array is set, since some defaults are none.
  setElement(about, k, text) {
    about.value[k] = Number(text);
    this.set(about.name, about.value.length > 1 ? about.value.join(",") : `[${text}]`, false);
  }

  setSignal(name, text) {
    for (const key of [...this.settings.keys()]) if (key.startsWith(`${name}.`)) this.settings.delete(key);
    this.set(name, text, true);
  }

  reset(name) {
    for (const key of [...this.settings.keys()]) if (key === name || key.startsWith(`${name}.`)) this.settings.delete(key);
    this.extra.delete(name);
    this.changed(true);
  }

  valueOf(name) {
    if (this.settings.has(name)) return Number(this.settings.get(name));
    const found = this.whatIf.sliders.get(name);
    return found ? Number(found.value) : null;
  }

  changed(structural) {
    const query = this.query().toString();
    this.told();
    this.since = performance.now();
    this.resting = false;
    if (structural || !this.model) this.describing.ask(query);
    else this.running.ask(query, this.since);
    this.busy();
  }

  describe(found) {
    this.model = found;
    this.chooser.value = found.name;
    if (this.chooser.value !== found.name) this.chooser.value = this.name;
    this.title.textContent = [found.title, found.reference].filter(Boolean).join(". ");
    const focus = document.activeElement?.dataset?.name;
    const run_ = [{ kind: "number", name: "duration", label: "duration", meaning: "how long the run lasts", unit: found.time_units, value: Number(this.extra.get("duration") ?? found.duration), low: found.duration / 50, high: 4 * found.duration, step: found.duration / 50, whole: false, set: this.extra.has("duration") }];
    if (found.random) run_.push({ kind: "number", name: "seed", label: "seed", meaning: "of what is drawn at random", value: Number(this.extra.get("seed") ?? 0), low: 0, high: 100, step: 1, whole: true, set: this.extra.has("seed") });
    // A parameter of the model may be called duration, too: the run's own does not go by --set.
    const ofRun = { set: (name, text) => { this.extra.set(name, text); this.changed(false); }, reset: (name) => { this.extra.delete(name); this.changed(true); } };
    this.controls.replaceChildren(...found.controls.map((about) => controlOf(about, this)), made("hr"), ...run_.map((about) => controlOf(about, ofRun)));
    if (focus) this.controls.querySelector(`[data-name="${CSS.escape(focus)}"]`)?.focus();
    const fields = Object.entries(found.states).filter(([name, shape]) => name.endsWith(".x") && shape.length === 2 && Math.min(...shape) >= 4);
    this.movies = fields.slice(0, 4).map(([name]) => new Movie(name));
    this.more.replaceChildren(...this.movies.map((one) => one.element));
    this.old = this.old.filter((one) => [...one.variables.keys()].every((name) => name in found.states));
    this.equations.textContent = found.equations || "(too long to be shown; brnn show prints them)";
    this.file.value = `${found.name.replace(/^.*[/\\]/, "").replace(/\.(py|json)$/, "")}.h5`;
    this.whatIf.offer(found);
    this.running.ask(this.query().toString(), this.since);
    this.busy();
  }

  show(found, since) {
    this.answer = found;
    this.error.textContent = "";
    this.warning.textContent = found.header.warnings.join("; ");
    requestAnimationFrame(() => {
      this.draw();
      this.timings.push(performance.now() - since);
      this.quiet();
    });
  }

  // The same run, with what theory says in its figure.
  complete(found, query) {
    if (this.running.busy || query !== this.query().toString()) return;
    this.answer = found;
    this.draw();
  }

  draw() {
    if (!this.answer) return;
    const { figure } = this.answer;
    this.heading.textContent = figure.title;
    this.below.textContent = figure.below;
    this.figure.show(figure, this.old.map((one) => one.figure));
    for (const movie of this.movies) movie.draw(this.answer);
    this.whatIf.draw();
  }

  // What can wait until the sliders rest: the summary that is read aloud, theory (also in the figure), the sweep, texts to copy.
  quiet() {
    this.busy();
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      if (this.running.busy || this.describing.busy) return;
      const query = this.query().toString();
      this.summary.textContent = `${this.answer.header.summary.join("; ")}.`;
      if (this.answer.header.waits) this.completing.ask(query);
      this.asking.ask(query);
      this.copying.ask(query);
      this.whatIf.ask();
      this.resting = true;
    }, QUIET);
  }

  // Whether all that the last change led to is there.
  get settled() {
    const questions = [this.describing, this.running, this.completing, this.asking, this.copying, this.whatIf.latest];
    return this.resting && !questions.some((one) => one.busy || one.waiting !== null);
  }

  fail(error) {
    this.resting = true;
    this.error.textContent = error.message;
    this.busy();
  }

  busy() {
    const working = this.running.busy || this.describing.busy || this.running.waiting !== null;
    this.element.setAttribute("aria-busy", String(working));
    if (!working) {
      clearInterval(this.watch);
      this.watch = null;
      this.meter.classList.add("hidden");
      const solver = this.answer?.header.solver;
      this.doing.textContent = solver ? `${solver.method}, ${solver.steps} steps, ${shown(solver.seconds * 1000)} ms` : "";
      return;
    }
    if (!this.watch) this.watch = setInterval(() => this.look(), PATIENT);
  }

  async look() {
    if (!this.running.busy && !this.describing.busy) return this.busy();
    if (performance.now() - this.since < PATIENT) return undefined;
    try {
      const { stage, seconds, part } = await json("api/stage");
      if (!this.running.busy && !this.describing.busy) return this.busy();
      const words = { compiling: `the equations of this structure are being compiled: ${shown(seconds)} s`, integrating: `integrating: ${Math.round(100 * part)} %`, idle: "preparing" };
      this.doing.textContent = words[stage];
      this.meter.classList.remove("hidden");
      if (part > 0) this.meter.value = part;
      else this.meter.removeAttribute("value");
    } catch {
      // the run itself says so if the server has gone
    }
    return undefined;
  }

  say(found) {
    if (found.predictions.length) {
      const rows = found.predictions.flatMap((one) => [made("dt", { text: one.quantity }), made("dd", {}, one.words, made("div", { class: "source", text: `${one.hypothesis}. ${one.source}` }))]);
      this.predicted.replaceChildren(made("dl", {}, ...rows));
    } else this.predicted.replaceChildren(made("p", { class: "about", text: `No theorem here speaks of this network. ${found.why_not}` }));
  }

  texts(found) {
    this.command.textContent = found.command;
    this.script.textContent = found.script;
  }

  async copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.copied.textContent = "copied";
    } catch {
      this.copied.textContent = "the browser does not let a page copy; open the text below";
    }
  }

  async save() {
    try {
      const body = JSON.stringify({ query: this.query().toString(), name: this.file.value.trim() });
      this.copied.textContent = `wrote ${(await post("api/save", body, { "Content-Type": "application/json" })).wrote}`;
    } catch (error) {
      this.copied.textContent = error.message;
    }
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
