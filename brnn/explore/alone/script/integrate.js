// Runs of a network: Dormand and Prince's method of order 5(4) with dense output, begun anew at each break point; in
// discrete time step after step. `network` is what brnn.explore.alone writes, `v` the vector of all its numbers.

const C = [0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1];
const E = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];
const D = [-12715105075 / 11282082432, 0, 87487479700 / 32700410799, -10690763975 / 1880347072, 701980252875 / 199316789632, -1453857185 / 822651844, 69997945 / 29380423];

const SMALLEST = 1e-13; // absolute tolerance
const STEPS = 2e6;
const SECONDS = 20;

export class Failed extends Error {}

// The right-hand side of one piece between break points.
function pieceOf(network, v, k, lags) {
  const { first, moving, places } = network.slots;
  const part = ([start, count]) => v.subarray(start, start + count);
  const p = part(first.p).slice();
  const arrays = { ...network.whole };
  for (const [name, place] of Object.entries(first)) if (name.startsWith("array ")) arrays[name.slice(6)] = part(place);
  for (const [name, place] of Object.entries(moving[k])) {
    if (name === "p") part(place).forEach((value, j) => { p[places[j]] = value; });
    else arrays[name] = part(place);
  }
  for (const lag of lags) arrays[lag.array] = lag.values;
  const rhs = network.equations(p, arrays);
  if (!lags.length) return rhs;
  return (t, u, du) => {
    for (const lag of lags) lag.fill(t);
    rhs(t, u, du);
  };
}

function pieces(network, v, duration) {
  const [start, count] = network.slots.first.starts;
  const starts = Array.from(v.subarray(start, start + count));
  for (let k = 1; k < count; k += 1) if (!(starts[k] > starts[k - 1])) throw new Failed("with these values inputs begin in another order, which this page does not hold");
  const found = [];
  starts.forEach((from, k) => {
    const to = Math.min(k + 1 < count ? starts[k + 1] : Infinity, duration);
    if (from < duration) found.push({ k, from, to });
  });
  return found;
}

export function durationOf(network, v) {
  return v[network.slots.first.duration[0]];
}

// What a crossing watches, above or below its threshold: one number for each cell, or one for all.
function watched(watch, u, out) {
  const { start, size, per, threshold } = watch;
  if (per === "cell") {
    for (let i = 0; i < size; i += 1) out[i] = u[start + i] - threshold[i];
    return;
  }
  let value = per === "total" ? 0 : -Infinity;
  for (let i = 0; i < size; i += 1) value = per === "total" ? value + u[start + i] : Math.max(value, u[start + i]);
  out[0] = value - threshold[0];
}

// Notes which cells (or whether the total or the largest) have slopes of two signs at the ends of a step.
function rates({ start, size, per }, one, before, after) {
  if (per === "cell") {
    for (let i = 0; i < size; i += 1) one.turns[i] = before[start + i] * after[start + i] < 0 ? 1 : 0;
    return;
  }
  one.turns[0] = 0;
  if (per === "total") {
    let first = 0;
    let last = 0;
    for (let i = start; i < start + size; i += 1) {
      first += before[i];
      last += after[i];
    }
    if (first * last < 0) one.turns[0] = 1;
  } else {
    // The largest may be another cell in between: look wherever one of them turns or cells move apart.
    one.turns[0] = 1;
  }
}

const LOOKS = 4; // at the inside of a step, where a state may rise and fall

// Finds when states cross their thresholds, on the dense output of each step.
class Watcher {
  constructor(network, v, u) {
    this.events = [];
    this.size = network.size;
    this.watches = (network.watches || []).map((watch) => {
      const values = new Float64Array(watch.per === "cell" ? watch.size : 1);
      watched(watch, u, values);
      const windows = watch.windows ? v.subarray(watch.windows[0], watch.windows[0] + watch.windows[1]) : null;
      return { watch, windows, before: values, after: new Float64Array(values.length), turns: new Uint8Array(values.length), last: new Float64Array(values.length).fill(-Infinity) };
    });
    this.trial = new Float64Array(network.size);
  }

  // Whether anything may cross in a step: it has, or it turns in between. The states after it are kept for `pass`.
  concerns(next, slope, slopeAfter) {
    let any = false;
    for (const one of this.watches) {
      watched(one.watch, next, one.after);
      rates(one.watch, one, slope, slopeAfter);
      for (let i = 0; i < one.after.length && !any; i += 1) any = one.before[i] * one.after[i] <= 0 || one.turns[i] === 1;
    }
    return any;
  }

  pass() {
    for (const one of this.watches) one.before.set(one.after);
  }

  look(dense) {
    for (const one of this.watches) {
      for (let part = 1; part <= LOOKS; part += 1) {
        const to = dense.t + (dense.h * part) / LOOKS;
        interpolate(dense, to, this.trial);
        watched(one.watch, this.trial, one.after);
        for (let i = 0; i < one.after.length; i += 1) {
          const sign = one.watch.falling ? -1 : 1;
          if (sign * one.before[i] < 0 && sign * one.after[i] >= 0) this.found(one, i, sign, dense, dense.t + (dense.h * (part - 1)) / LOOKS, to);
        }
        one.before.set(one.after);
      }
    }
  }

  found(one, i, sign, dense, low, high) {
    const values = new Float64Array(one.after.length);
    for (let k = 0; k < 60 && high - low > 1e-14 * Math.abs(high); k += 1) {
      const middle = 0.5 * (low + high);
      interpolate(dense, middle, this.trial);
      watched(one.watch, this.trial, values);
      if (sign * values[i] >= 0) high = middle;
      else low = middle;
    }
    const { windows, watch } = one;
    if (windows) {
      let open = false;
      for (let k = 0; k + 1 < windows.length; k += 2) open = open || (windows[k] <= high && high < windows[k + 1]);
      if (!open) return;
    }
    if (high - one.last[i] < watch.refractory || (watch.once && one.last[i] > -Infinity)) return;
    one.last[i] = high;
    this.events.push({ time: high, name: watch.name, state: watch.state, cell: watch.per === "cell" ? i : null });
  }
}

// The states at the given times, one row each, as {states, steps, last: the right-hand side of the last piece, events}.
export function integrate(network, v, duration, times, tolerance) {
  const size = network.size;
  const u = v.slice(network.slots.first.initial[0], network.slots.first.initial[0] + size);
  const states = new Float64Array(times.length * size);
  if (network.step !== null) return mapped(network, v, u, duration, times, states);
  let saved = 0;
  while (saved < times.length && times[saved] <= 0) states.set(u, saved++ * size);
  const history = network.lags.length ? [] : null;
  const lags = network.lags.map(({ array, start, width, delay }) => {
    const values = new Float64Array(width);
    const past = new Float64Array(size);
    return { array, values, fill: (t) => { before(history, u0, t - delay, past); values.set(past.subarray(start, start + width)); } };
  });
  const u0 = u.slice();
  const watcher = new Watcher(network, v, u);
  const longest = network.lags.length ? Math.min(...network.lags.map((lag) => lag.delay)) : Infinity;
  const stages = Array.from({ length: 7 }, () => new Float64Array(size));
  const next = new Float64Array(size);
  const trial = new Float64Array(size);
  let steps = 0;
  let h = 0;
  let rhs = null;
  const since = performance.now();
  for (const { k, from, to } of pieces(network, v, duration)) {
    rhs = pieceOf(network, v, k, lags);
    let t = from;
    rhs(t, u, stages[0]);
    h = Math.min(begin(rhs, t, u, stages[0], trial, next, tolerance), longest, to - from);
    let refused = false;
    while (t < to) {
      if (t + h > to - 1e-12 * (to - from)) h = to - t;
      if (h < 1e-14 * Math.max(Math.abs(t), 1e-300)) throw new Failed(`at t = ${t.toPrecision(4)} the states change faster than numbers can follow`);
      const error = dormandPrince(rhs, t, h, u, stages, trial, next, tolerance);
      if (!Number.isFinite(error)) {
        h *= 0.1;
        refused = true;
        steps += 1;
        if (steps > STEPS) throw new Failed("the states grow beyond all numbers");
        continue;
      }
      steps += 1;
      if (steps > STEPS || (steps % 1000 === 0 && performance.now() - since > SECONDS * 1000)) throw new Failed(`the run was given up at t = ${t.toPrecision(4)} after ${steps} steps`);
      if (error > 1) {
        h *= Math.max(0.2, 0.9 * error ** -0.2);
        refused = true;
        continue;
      }
      const end = h === to - t ? to : t + h;
      const wanted = history || (saved < times.length && times[saved] < end) || watcher.concerns(next, stages[0], stages[6]);
      const dense = wanted ? { t, h, from: u.slice(), rows: coefficients(u, next, stages, h, size) } : null;
      if (history) history.push(dense);
      if (dense) watcher.look(dense);
      else watcher.pass();
      while (saved < times.length && times[saved] <= end + 1e-13 * duration) {
        if (times[saved] >= end) states.set(next, saved * size);
        else interpolate(dense, times[saved], states.subarray(saved * size, (saved + 1) * size));
        saved += 1;
      }
      u.set(next);
      stages[0].set(stages[6]);
      t = end;
      h = Math.min(h * Math.min(refused ? 1 : 5, Math.max(0.2, 0.9 * Math.max(error, 1e-10) ** -0.2)), longest);
      refused = false;
    }
  }
  while (saved < times.length) states.set(u, saved++ * size);
  watcher.events.sort((a, b) => a.time - b.time);
  return { states, steps, last: rhs, end: u, events: watcher.events };
}

// One step, written out: fills the stages and `next`, and returns the largest error in units of its tolerance.
function dormandPrince(rhs, t, h, u, [k0, k1, k2, k3, k4, k5, k6], trial, next, tolerance) {
  const size = u.length;
  for (let i = 0; i < size; i += 1) trial[i] = u[i] + h * (1 / 5) * k0[i];
  rhs(t + C[1] * h, trial, k1);
  for (let i = 0; i < size; i += 1) trial[i] = u[i] + h * ((3 / 40) * k0[i] + (9 / 40) * k1[i]);
  rhs(t + C[2] * h, trial, k2);
  for (let i = 0; i < size; i += 1) trial[i] = u[i] + h * ((44 / 45) * k0[i] - (56 / 15) * k1[i] + (32 / 9) * k2[i]);
  rhs(t + C[3] * h, trial, k3);
  for (let i = 0; i < size; i += 1) trial[i] = u[i] + h * ((19372 / 6561) * k0[i] - (25360 / 2187) * k1[i] + (64448 / 6561) * k2[i] - (212 / 729) * k3[i]);
  rhs(t + C[4] * h, trial, k4);
  for (let i = 0; i < size; i += 1) trial[i] = u[i] + h * ((9017 / 3168) * k0[i] - (355 / 33) * k1[i] + (46732 / 5247) * k2[i] + (49 / 176) * k3[i] - (5103 / 18656) * k4[i]);
  rhs(t + h, trial, k5);
  for (let i = 0; i < size; i += 1) next[i] = u[i] + h * ((35 / 384) * k0[i] + (500 / 1113) * k2[i] + (125 / 192) * k3[i] - (2187 / 6784) * k4[i] + (11 / 84) * k5[i]);
  rhs(t + h, next, k6);
  let error = 0;
  for (let i = 0; i < size; i += 1) {
    const sum = E[0] * k0[i] + E[2] * k2[i] + E[3] * k3[i] + E[4] * k4[i] + E[5] * k5[i] + E[6] * k6[i];
    error = Math.max(error, Math.abs(h * sum) / (SMALLEST + tolerance * Math.max(Math.abs(u[i]), Math.abs(next[i]))));
  }
  return error;
}

// The first step: Hairer, Norsett and Wanner, II.4.
function begin(rhs, t, u, f, trial, slope, tolerance) {
  const norm = (values, scale) => values.reduce((most, value, i) => Math.max(most, Math.abs(value) / (SMALLEST + tolerance * Math.abs(scale[i]))), 0);
  const d0 = norm(u, u);
  const d1 = norm(f, u);
  const h0 = d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : (0.01 * d0) / d1;
  u.forEach((value, i) => { trial[i] = value + h0 * f[i]; });
  rhs(t + h0, trial, slope);
  const d2 = norm(slope.map((value, i) => value - f[i]), u) / h0;
  const most = Math.max(d1, d2);
  const h1 = most <= 1e-15 ? Math.max(1e-6, h0 * 1e-3) : (0.01 / most) ** 0.2;
  return Math.min(100 * h0, h1);
}

function coefficients(u, next, stages, h, size) {
  const rows = [new Float64Array(size), new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  for (let i = 0; i < size; i += 1) {
    const difference = next[i] - u[i];
    const bend = h * stages[0][i] - difference;
    let sum = 0;
    for (let j = 0; j < 7; j += 1) sum += D[j] * stages[j][i];
    rows[0][i] = difference;
    rows[1][i] = bend;
    rows[2][i] = difference - h * stages[6][i] - bend;
    rows[3][i] = h * sum;
  }
  return rows;
}

function interpolate({ t, h, from, rows }, time, out) {
  const a = (time - t) / h;
  const b = 1 - a;
  for (let i = 0; i < out.length; i += 1) out[i] = from[i] + a * (rows[0][i] + b * (rows[1][i] + a * (rows[2][i] + b * rows[3][i])));
}

// The state at an earlier time; before the beginning it was as it is then.
function before(history, start, time, out) {
  if (time <= 0 || !history.length) {
    out.set(start);
    return;
  }
  let low = 0;
  let high = history.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (history[middle].t <= time) low = middle;
    else high = middle - 1;
  }
  interpolate(history[low], time, out);
}

function mapped(network, v, start, duration, times, states) {
  const size = network.size;
  const step = network.step;
  const count = Math.round(duration / step);
  const found = pieces(network, v, duration);
  const past = [start];
  const lags = network.lags.map(({ array, start: from, width, delay }) => {
    const values = new Float64Array(width);
    const steps = Math.round(delay / step);
    return { array, values, fill: () => values.set(past[Math.max(past.length - 1 - steps, 0)].subarray(from, from + width)) };
  });
  let piece = -1;
  let rhs = null;
  let saved = 0;
  while (saved < times.length && times[saved] <= 0) states.set(start, saved++ * size);
  for (let k = 0; k < count; k += 1) {
    const inside = (k + 1e-6) * step;
    let here = found.length - 1;
    while (here > 0 && found[here].from > inside) here -= 1;
    if (here !== piece) {
      piece = here;
      rhs = pieceOf(network, v, found[here].k, lags);
    }
    const next = new Float64Array(size);
    rhs(k * step, past.at(-1), next);
    if (!next.every(Number.isFinite)) throw new Failed(`at t = ${k * step} a step leads beyond all numbers`);
    past.push(next);
    while (saved < times.length && times[saved] <= (k + 1 + 1e-9) * step) states.set(next, saved++ * size);
  }
  return { states, steps: count, last: rhs, end: past.at(-1), events: [] };
}

// A polynomial by its coefficients in Chebyshev's polynomials.
export function chebyshev(coefficients_, x) {
  let b0 = 0;
  let b1 = 0;
  for (let k = coefficients_.length - 1; k > 0; k -= 1) [b0, b1] = [coefficients_[k] + 2 * x * b0 - b1, b0];
  return coefficients_[0] + x * b0 - b1;
}
