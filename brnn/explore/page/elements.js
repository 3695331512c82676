// Elements of the page in one call each.

export function made(kind, attributes = {}, ...children) {
  const element = document.createElement(kind);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

let counted = 0;

export function fresh(word) {
  counted += 1;
  return `${word}-${counted}`;
}

// A table that is written when it is opened, and kept up to date while it is open.
export class Table {
  constructor(title, rows) {
    this.rows = rows;
    this.place = made("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}: table` });
    this.element = made("details", { ontoggle: () => this.fill() }, made("summary", { text: "Table" }), this.place);
  }

  fill() {
    if (!this.element.open) return;
    const { head, body } = this.rows();
    const top = made("tr", {}, ...head.map((text) => made("th", { scope: "col", text })));
    const lines = body.map((row) => made("tr", {}, ...row.map((text, k) => made(k ? "td" : "th", k ? { text } : { scope: "row", text }))));
    this.place.replaceChildren(made("table", {}, made("thead", {}, top), made("tbody", {}, ...lines)));
  }
}
