// "What if": a measure along one parameter, all else as it is, from a sweep that runs while one looks.

import { Latest, json } from "./ask.js";
import { Axes, limits, shown } from "./canvas.js";
import { Table, fresh, made } from "./elements.js";

export class WhatIf {
  constructor(pane) {
    this.pane = pane;
    const along = fresh("along");
    const measure = fresh("measure");
    this.along = made("select", { id: along, onchange: () => this.ask() });
    this.measure = made("select", { id: measure, onchange: () => this.ask() });
    this.said = made("p", { class: "about", role: "status" });
    this.canvas = made("canvas", { role: "img", class: "hidden" });
    this.table = new Table("what if", () => this.rows());
    this.table.element.classList.add("hidden");
    this.element = made("details", { class: "card", ontoggle: () => this.ask() },
      made("summary", { text: "What if one parameter were another?" }),
      made("div", { class: "bar" }, made("label", { for: along, text: "parameter" }), this.along, made("label", { for: measure, text: "measure" }), this.measure),
      this.said, this.canvas, this.table.element);
    this.latest = new Latest((query, signal) => json("api/sweep", query, signal), (found) => this.show(found), (error) => { this.said.textContent = error.message; });
  }

  // The parameters and measures that there are, keeping what was chosen.
  offer(model) {
    this.sliders = new Map();
    for (const control of model.controls) {
      if (control.kind === "number" && !control.structural) this.sliders.set(control.name, control);
      if (control.kind === "signal") control.numbers.forEach((one) => this.sliders.set(one.name, one));
    }
    this.refill(this.along, [...this.sliders.keys()]);
    this.refill(this.measure, model.measures);
  }

  refill(select, names) {
    const before = select.value;
    select.replaceChildren(...names.map((text) => made("option", { value: text, text })));
    if (names.includes(before)) select.value = before;
  }

  ask() {
    if (!this.element.open || !this.along.value || !this.measure.value) return;
    const about = this.sliders.get(this.along.value);
    const query = this.pane.query();
    const fields = { along: about.name, low: about.low, high: about.high, count: about.whole ? Math.min(about.high - about.low + 1, 101) : 101, measure: this.measure.value };
    for (const [name, value] of Object.entries(fields)) query.append(name, String(value));
    this.said.textContent = "running…";
    this.latest.ask(query.toString());
  }

  show(found) {
    this.found = found;
    this.canvas.classList.remove("hidden");
    this.table.element.classList.remove("hidden");
    const failed = found.failed ? `; ${found.failed} failed` : "";
    const levels = found.levels.length ? `; ${found.levels.map((name, k) => `${k}: ${name}`).join(", ")}` : "";
    this.said.textContent = `${found.measured.length} runs${failed}${levels}`;
    this.draw();
    this.table.fill();
  }

  draw() {
    if (!this.found || !this.canvas.clientWidth) return;
    const { values, measured, along, measure } = this.found;
    const known = measured.filter((value) => value !== null);
    const axes = new Axes(this.canvas, limits(values), limits(known.length ? known : [0, 1]), { x: along, y: measure });
    axes.frame();
    axes.line(values, measured, { colour: "#0b5394" });
    const now = this.pane.valueOf(along);
    if (now !== null && now >= values[0] && now <= values.at(-1)) axes.line([now, now], [axes.y0, axes.y1], { colour: "#d55e00", dash: [4, 3] }, 1.4);
    axes.done();
    this.canvas.setAttribute("aria-label", `${measure} along ${along}, from ${shown(known[0])} to ${shown(known.at(-1))}`);
  }

  rows() {
    if (!this.found) return [];
    const { values, measured, levels, along, measure } = this.found;
    const word = (value) => (value === null ? "failed" : levels.length ? levels[value] : shown(value));
    return [{ head: [along, measure], body: values.map((value, k) => [shown(value), word(measured[k])]) }];
  }
}
