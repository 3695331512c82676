// What the page asks the server: one question at a time for each purpose, and the newest one next.

export class Refused extends Error {}

async function answered(response) {
  if (response.ok) return response;
  let words = `the server answered ${response.status}`;
  try {
    words = (await response.json()).error || words;
  } catch {
    // no JSON: the status must do
  }
  throw new Refused(words);
}

async function sent(path, options) {
  try {
    return await answered(await fetch(path, options));
  } catch (error) {
    if (error instanceof Refused || error.name === "AbortError") throw error;
    throw new Refused("the server does not answer: has brnn explore been stopped?");
  }
}

export async function json(path, query = "", signal = undefined) {
  return (await sent(query ? `${path}?${query}` : path, { signal })).json();
}

export async function post(path, body, headers = {}) {
  return (await sent(path, { method: "POST", body, headers })).json();
}

// A run: what its header says, and the values of each variable as numbers of 32 bits. Theory in its figure may come later.
export async function run(query, signal, later = false) {
  return unpacked(await (await sent(`api/run?${query}${later ? "&theory=later" : ""}`, { signal })).arrayBuffer());
}

export function unpacked(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const numbers = new Float32Array(buffer, 4 + length);
  const variables = new Map();
  for (const place of header.variables) {
    const width = place.shape.reduce((a, b) => a * b, 1);
    variables.set(place.name, {
      name: place.name,
      shape: place.shape,
      width,
      count: place.count,
      times: numbers.subarray(place.times, place.times + place.count),
      values: numbers.subarray(place.values, place.values + place.count * width),
    });
  }
  return { header, variables, figure: resolved(header.figure, header.arrays, numbers) };
}

// The description of a figure with its arrays in their places.
function resolved(value, arrays, numbers) {
  if (Array.isArray(value)) return value.map((item) => resolved(item, arrays, numbers));
  if (value === null || typeof value !== "object") return value;
  if ("array" in value) {
    const { offset, shape } = arrays[value.array];
    const found = numbers.subarray(offset, offset + shape.reduce((a, b) => a * b, 1));
    found.shape = shape;
    return found;
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolved(item, arrays, numbers)]));
}

// Keeps one question in flight; of those that come meanwhile only the newest is asked, and a slow one is given up.
export class Latest {
  constructor(work, done, failed, patience = 250) {
    Object.assign(this, { work, done, failed, patience, waiting: null, flight: null });
  }

  ask(...question) {
    this.waiting = question;
    if (!this.flight) this.next();
    else if (performance.now() - this.flight.since > this.patience) this.flight.control.abort();
  }

  get busy() {
    return this.flight !== null;
  }

  async next() {
    const question = this.waiting;
    this.waiting = null;
    const control = new AbortController();
    this.flight = { control, since: performance.now() };
    try {
      const answer = await this.work(...question, control.signal);
      this.flight = null;
      if (this.waiting === null || !control.signal.aborted) this.done(answer, ...question);
    } catch (error) {
      this.flight = null;
      if (error.name !== "AbortError") this.failed(error, ...question);
    }
    if (this.waiting) this.next();
  }
}
