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

// Tables that are written when they are opened, and kept up to date while they are open.
export class Table {
  constructor(title, tables) {
    this.tables = tables;
    this.place = made("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title}: table` });
    this.element = made("details", { ontoggle: () => this.fill() }, made("summary", { text: "Table" }), this.place);
  }

  fill() {
    if (!this.element.open) return;
    this.place.replaceChildren(...this.tables().map(({ head, body }) => {
      const top = made("tr", {}, ...head.map((text) => made("th", { scope: "col", text: text || "value" })));
      const lines = body.map((row) => made("tr", {}, ...row.map((text, k) => made(k ? "td" : "th", k ? { text } : { scope: "row", text }))));
      return made("table", {}, made("thead", {}, top), made("tbody", {}, ...lines));
    }));
  }
}
