// A control for each parameter. What it is set to goes out as the text that --set takes.

import { Axes, limits } from "./canvas.js";
import { fresh, made } from "./elements.js";
import { Pattern } from "./pattern.js";

function plain(value, step) {
  if (typeof value !== "number") return String(value);
  const digits = step > 0 ? Math.max(0, Math.ceil(-Math.log10(step)) + 1) : 6;
  return String(Number(value.toFixed(Math.min(digits, 12))));
}

// A slider and a box for exact values, which may lie outside of the slider.
function slider(about, label, changed) {
  const id = fresh("slider");
  const value = Number(about.value);
  const range = made("input", {
    type: "range", id, min: about.low, max: about.high, step: about.step, "data-name": about.name,
    oninput: () => {
      box.value = plain(Number(range.value), about.step);
      changed(box.value);
    },
  });
  range.value = value;
  const box = made("input", {
    type: "number", step: "any", "aria-label": `${about.name}, exact value`,
    onchange: () => {
      if (box.value.trim() === "") return;
      range.value = box.value;
      changed(box.value.trim());
    },
  });
  box.value = Number.isFinite(value) ? String(Number(value.toPrecision(10))) : "";
  if (!Number.isFinite(value)) box.placeholder = String(about.value);
  return { label: made("label", { for: id, text: label }), range, box };
}

function meaning(about) {
  const unit = about.unit && about.unit !== "1" ? ` (${about.unit})` : "";
  const words = `${about.meaning || ""}${unit}`.trim();
  return words ? made("span", { class: "meaning", text: words }) : null;
}

function curve(about) {
  const canvas = made("canvas", { class: "short wide", role: "img", "aria-label": `curve of the signal f(w) = ${about.formula || ""}` });
  const draw = () => {
    if (!canvas.clientWidth) return;
    const axes = new Axes(canvas, limits(about.curve.w), limits(about.curve.f), { x: "w", y: "f(w)" });
    axes.frame();
    axes.line(about.curve.w, about.curve.f, { colour: "#0b5394" });
    axes.done();
  };
  new ResizeObserver(draw).observe(canvas);
  return canvas;
}

// pane.set(name, text, structural): a text sets a parameter, null takes it back to its default.
export function controlOf(about, pane) {
  const reset = about.set
    ? made("button", { type: "button", class: "small reset", "aria-label": `${about.name}: back to the default`, text: "reset", onclick: () => pane.reset(about.name) })
    : null;
  const kinds = { number, numbers, choice, truth, signal, pattern, text };
  const parts = kinds[about.kind](about, pane);
  return made("div", { class: "control" }, ...parts(reset), meaning(about));
}

function number(about, pane) {
  const made_ = slider(about, about.label, (text) => pane.set(about.name, text, Boolean(about.structural)));
  return (reset) => [made_.label, reset || made("span"), made_.range, made_.box];
}

function numbers(about, pane) {
  const rows = about.value.flatMap((value, k) => {
    const one = slider({ ...about, name: about.name_of_each[k], value }, String(k), (text) => pane.setElement(about, k, text));
    return [one.label, one.range, one.box];
  });
  return (reset) => [made("span", { class: "label", text: about.label }), reset || made("span"), made("div", { class: "parts", role: "group", "aria-label": about.label }, ...rows)];
}

function chooser(about, choices, value, changed) {
  const id = fresh("choice");
  const select = made("select", { id, "data-name": about.name, onchange: () => changed(select.value) }, ...choices.map((text) => made("option", { value: text, text })));
  select.value = value;
  return [made("label", { for: id, text: about.label }), select];
}

function choice(about, pane) {
  const [label, select] = chooser(about, about.choices, about.value, (text) => pane.set(about.name, text, true));
  return (reset) => [label, reset || made("span"), select];
}

function truth(about, pane) {
  const id = fresh("truth");
  const box = made("input", { type: "checkbox", id, "data-name": about.name, onchange: () => pane.set(about.name, box.checked ? "true" : "false", true) });
  box.checked = about.value;
  return (reset) => [made("label", { for: id, text: about.label }), made("span", { class: "bar" }, reset, box)];
}

function signal(about, pane) {
  const written = ["expression", "function"].includes(about.value);
  const choices = [...about.choices, "expression", "function"];
  if (about.none || about.value === "none") choices.push("none");
  const [label, select] = chooser(about, choices, about.value, (text) => {
    if (text === "expression" || text === "function") pane.setSignal(about.name, `${text}(${about.formula && written ? about.formula : "w**2/(0.25 + w**2)"})`);
    else pane.setSignal(about.name, text);
  });
  select.classList.add("wide");
  const extra = [];
  if (written) {
    const box = made("input", {
      type: "text", "aria-label": `${about.name}: formula in w`, spellcheck: "false",
      onchange: () => pane.setSignal(about.name, `${about.value}(${box.value})`),
    });
    const numbersOf = about.numbers.map((one) => `, ${one.label}=${one.value}`).join("");
    box.value = `${about.formula}${numbersOf}`;
    extra.push(box);
  } else if (about.formula) extra.push(made("span", { class: "meaning", text: `f(w) = ${about.formula}` }));
  if (about.numbers.length && !written) {
    const rows = about.numbers.flatMap((one) => {
      const made_ = slider(one, one.label, (text) => pane.set(one.name, text, false));
      return [made_.label, made_.range, made_.box];
    });
    extra.push(made("div", { class: "parts", role: "group", "aria-label": `${about.label}: its numbers` }, ...rows));
  }
  if (about.curve) extra.push(curve(about));
  return (reset) => [label, reset || made("span"), select, ...extra];
}

function pattern(about, pane) {
  const editor = new Pattern(about, (text) => pane.set(about.name, text, false), pane.fail ? (error) => pane.fail(error) : null);
  return (reset) => [made("span", { class: "label", text: about.label }), reset || made("span"), editor.element];
}

function text(about, pane) {
  const id = fresh("text");
  const box = made("input", {
    type: "text", id, spellcheck: "false", "data-name": about.name,
    onchange: () => (box.value.trim() ? pane.set(about.name, box.value.trim(), true) : pane.reset(about.name)),
  });
  box.value = about.value ?? "";
  if (about.value === null) box.placeholder = about.allowed || "default";
  return (reset) => [made("label", { for: id, text: about.label }), reset || made("span"), box];
}
