// The page: its panes, and the address line, which holds their whole state.

import { json } from "./ask.js";
import { Pane } from "./pane.js";

const place = document.getElementById("panes");
const compare = document.getElementById("compare");
const panes = [];
let models = [];
let later = null;

// Written when the sliders rest: browsers take only so many changes of an address in a time.
function remember() {
  clearTimeout(later);
  later = setTimeout(() => {
    const query = panes[0].query();
    if (panes[1]) query.append("beside", panes[1].query().toString());
    history.replaceState(null, "", `?${query}`);
  }, 200);
}

function add(query) {
  const pane = new Pane(panes.length, models, remember);
  panes.push(pane);
  place.append(pane.element);
  pane.start(query);
}

function second(query) {
  place.classList.add("two");
  compare.setAttribute("aria-pressed", "true");
  add(query);
}

compare.addEventListener("click", () => {
  if (panes.length === 1) second(panes[0].query());
  else {
    panes.pop().element.remove();
    place.classList.remove("two");
    compare.setAttribute("aria-pressed", "false");
    remember();
  }
  panes[0].draw();
});

let width = 0;
new ResizeObserver(() => {
  if (place.clientWidth === width) return;
  width = place.clientWidth;
  for (const pane of panes) pane.draw();
}).observe(place);

const found = await json("api/models");
models = found.models;
const query = new URLSearchParams(location.search);
if (!query.get("model")) query.set("model", found.first);
const beside = query.get("beside");
query.delete("beside");
add(query);
if (beside) second(new URLSearchParams(beside));
globalThis.brnn = { panes }; // for tests and for the console
