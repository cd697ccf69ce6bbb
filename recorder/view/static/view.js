"use strict";
// Sessions side by side. What is marked is kept here until it is saved; what is saved is `edits.json` beside a session.

const AHEAD = 24;          // pictures fetched before they are shown
const KEPT_PICTURES = 96;  // and kept
const CHUNK = 512;         // rows of values fetched at a time
const KEPT_CHUNKS = 16;
const panes = [];
let active = null;

async function ask(path, options) {
  let reply;
  try {
    reply = await fetch(path, options);
  } catch {
    throw new Error("The program behind this page has ended; start `python -m recorder view` again. Your marks are still here.");
  }
  const data = reply.headers.get("Content-Type") === "application/json" ? await reply.json() : { error: await reply.text() };
  if (!reply.ok) throw Object.assign(new Error(data.error), { theirs: data.theirs });
  return data;
}

function united(ranges) {
  const found = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const end = found.at(-1);
    if (end && first <= end[1] + 1) end[1] = Math.max(end[1], last);
    else found.push([first, last]);
  }
  return found;
}

function without(ranges, first, last) {
  return ranges.flatMap(([a, b]) => [[a, Math.min(b, first - 1)], [Math.max(a, last + 1), b]]).filter(([a, b]) => a <= b);
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

class Pane {
  constructor(id) {
    this.id = id;
    this.root = document.getElementById("pane").content.firstElementChild.cloneNode(true);
    this.$ = (name) => this.root.querySelector(`.${name}`);
    this.chart = new Chart(this.$("chart"));
    this.row = 0;
    this.playing = false;
    this.from = null;
    this.drawn = null;
    this.past = [];
    this.future = [];
    this.pictures = new Map();
    this.chunks = new Map();
    document.getElementById("panes").append(this.root);
    this.root.addEventListener("pointerdown", () => activate(this), true);
    this.root.addEventListener("focusin", () => activate(this));
    this.listen();
    this.work(false);
  }

  async open() {
    this.say("Opening…");
    this.about = await ask(`api/about/${this.id}`);
    for (const spot of this.about.spots) spot.rows = [this.rowOf(spot.first), this.rowOf(spot.last)];
    this.take(this.about.edits);
    const { game, track, rows, rate, seconds } = this.about;
    this.$("name").textContent = this.id;
    this.$("facts").textContent = `${[game, track].filter(Boolean).join(" ")}, ${clock(seconds)} min, ${rows} frames at ${rate} Hz`;
    this.$("seek").max = rows - 1;
    this.$("picture").style.aspectRatio = this.about.size.join(" / ");
    this.$("axes").replaceChildren(...this.about.axes.map((name) => Object.assign(document.createElement("li"), { title: name })));
    this.$("buttons").replaceChildren(...this.about.buttons.map((name) => Object.assign(document.createElement("li"), { textContent: name })));
    this.$("wheel").hidden = !this.about.axes.length;
    this.$("spots").replaceChildren(...(this.about.spots.length ? this.about.spots.map((spot) => this.spotItem(spot)) : [item("None.")]));
    await this.resize();
    this.say("");
    this.work(true);
    this.go(this.row);
  }

  // Nothing can be done with a session that is not here yet, or cannot be read.
  work(on) { for (const part of ["chart", "seek", "tools"]) this.$(part).inert = !on; }

  spotItem(spot) {
    const entry = document.createElement("li");
    entry.append(button(`${this.timeOf(spot.rows[0])}  ${spot.text}`, () => this.go(spot.rows[0])));
    entry.append(button("Leave out", () => this.change([...this.ranges, [spot.first, spot.last]])));
    return entry;
  }

  async resize() {
    if (!this.about) return;
    const width = Math.max(50, Math.min(4000, this.$("chart").clientWidth));
    this.chart.show(this.about, await ask(`api/chart/${this.id}?columns=${width}`));
    this.draw();
  }

  // Rows and steps: steps count on where frames are missing.
  stepOf(row) {
    const at = this.about.steps[lastUpTo(this.about.steps, 0, row)];
    return at[1] + row - at[0];
  }

  rowOf(step) {
    const place = lastUpTo(this.about.steps, 1, step), at = this.about.steps[place], next = this.about.steps[place + 1];
    return Math.max(0, Math.min(at[0] + Math.max(0, step - at[1]), (next ? next[0] : this.about.rows) - 1));
  }

  timeOf(row) {
    const at = this.about.steps[lastUpTo(this.about.steps, 0, row)];
    return clock(at[2] + (row - at[0]) / this.about.rate);
  }

  // Where we are.
  go(row) {
    this.row = Math.max(0, Math.min(this.about.rows - 1, Math.round(row)));
    this.draw();
    this.showPicture();
    this.showValues();
  }

  draw() {
    this.$("seek").value = this.row;
    this.$("time").textContent = `${this.timeOf(this.row)} of ${this.timeOf(this.about.rows - 1)}, frame ${this.stepOf(this.row)}`;
    const rows = this.ranges.map(([first, last]) => [this.rowOf(first), this.rowOf(last)]);
    const begun = this.from === null ? null : [this.rowOf(this.from), this.row];
    this.chart.mark(this.row, rows, this.drawn || begun);
  }

  picture(row) {
    let image = this.pictures.get(row);
    if (!image) {
      image = new Image();
      image.src = `picture/${this.id}/${row}`;
      image.ready = image.decode().catch(() => { image.bad = true; });
      image.ready.then(() => { image.here = true; });
      this.pictures.set(row, image);
      while (this.pictures.size > KEPT_PICTURES) this.pictures.delete(this.pictures.keys().next().value);
    }
    return image;
  }

  async showPicture() {
    // While one is on its way the slider moves on: no queue of pictures that nobody waits for, the newest is next.
    if (this.showing) return;
    this.showing = true;
    while (this.shown !== this.row) {
      const row = this.row, image = this.picture(row);
      await image.ready;
      this.shown = row;
      this.$("picture").src = image.src;
      this.$("picture").dataset.row = row;
      if (image.bad) this.say(`Frame ${this.stepOf(row)} cannot be shown: it is damaged.`, true);
    }
    this.showing = false;
  }

  async values(row) {
    const first = row - (row % CHUNK);
    if (!this.chunks.has(first)) {
      this.chunks.set(first, ask(`api/values/${this.id}?first=${first}&count=${CHUNK}`));
      while (this.chunks.size > KEPT_CHUNKS) this.chunks.delete(this.chunks.keys().next().value);
    }
    return this.chunks.get(first);
  }

  async showValues() {
    const row = this.row;
    const chunk = await this.values(row).catch((error) => this.say(error.message, true));
    if (!chunk || row !== this.row) return;
    const label = chunk.label[row - chunk.first], done = chunk.done[row - chunk.first];
    const { axes, buttons, actors } = this.about;
    if (axes.length) {
      this.$("label").style.left = `${50 + 48 * label[0]}%`;
      this.$("done").style.left = `${50 + 48 * done[0]}%`;
    }
    [...this.$("axes").children].forEach((entry, place) => {
      const other = Math.abs(done[place] - label[place]) > 0.005 ? `, done ${signed(done[place])}` : "";
      entry.textContent = `${axes[place]} ${signed(label[place])}${other}`;
    });
    [...this.$("buttons").children].slice(0, buttons.length).forEach((entry, place) => {
      entry.classList.toggle("down", label[axes.length + place] > 0.5);
    });
    this.$("actor").textContent = `${actors[chunk.actor[row - chunk.first]]} acted`;
  }

  // Playing.
  play(on) {
    this.playing = on;
    this.$("play").textContent = on ? "⏸" : "▶";
    this.$("play").setAttribute("aria-label", on ? "Pause" : "Play");
    if (!on) return;
    if (this.row >= this.about.rows - 1) this.row = 0;
    let began = performance.now(), start = this.row;
    const tick = (now) => {
      if (!this.playing) return;
      const speed = Number(this.$("speed").value) * this.about.rate;
      const wanted = Math.min(this.about.rows - 1, start + Math.floor((Math.max(0, now - began) / 1000) * speed));
      const stride = Math.max(1, Math.round(speed / 60));
      for (let next = 0; next < AHEAD; next += 1) {
        const row = wanted - (wanted % stride) + next * stride;
        if (row < this.about.rows) this.picture(row);
      }
      const row = wanted - (wanted % stride);
      if (row !== this.row) {
        if (this.picture(row).here) this.go(row);
        else if (wanted - this.row > 2 * AHEAD * stride) [began, start] = [now, this.row]; // too fast for this machine: wait
      }
      if (wanted >= this.about.rows - 1) { this.go(wanted); this.play(false); return; }
      requestAnimationFrame(tick);
    };
    this.setSpeed = () => { [began, start] = [performance.now(), this.row]; };
    requestAnimationFrame(tick);
  }

  // Marks.
  take(edits) {
    this.revision = edits.revision;
    this.saved = edits.left_out;
    this.change(edits.left_out, true);
  }

  change(ranges, quiet) {
    const next = united(ranges);
    if (!quiet && !same(next, this.ranges)) {
      this.past.push(this.ranges);
      this.future = [];
    }
    this.ranges = next;
    this.told();
  }

  told() {
    this.dirty = !same(this.ranges, this.saved);
    this.$("save").disabled = !this.dirty;
    this.$("undo").disabled = !this.past.length;
    this.$("redo").disabled = !this.future.length;
    const entries = this.ranges.map(([first, last]) => {
      const entry = document.createElement("li");
      const rows = [this.rowOf(first), this.rowOf(last)];
      entry.append(button(`${this.timeOf(rows[0])} to ${this.timeOf(rows[1])} (frames ${first} to ${last})`, () => this.go(rows[0])));
      entry.append(button("Bring back", () => this.change(without(this.ranges, first, last))));
      return entry;
    });
    this.$("left-out").replaceChildren(...(entries.length ? entries : [item("Nothing.")]));
    this.draw();
  }

  step(from, to) {
    if (!from.length) return;
    to.push(this.ranges);
    this.ranges = from.pop();
    this.told();
  }

  begin() { this.from = this.stepOf(this.row); this.say(`Leaving out from frame ${this.from} on; go to its end and press ].`); this.draw(); }

  end() {
    const here = this.stepOf(this.row), from = this.from ?? here;
    this.from = null;
    this.say("");
    this.change([...this.ranges, [Math.min(from, here), Math.max(from, here)]]);
  }

  bringBack() {
    const step = this.stepOf(this.row), range = this.ranges.find(([first, last]) => first <= step && step <= last);
    if (range) this.change(without(this.ranges, ...range));
  }

  async save() {
    if (!this.dirty) return;
    try {
      const edits = await ask(`api/edits/${this.id}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ left_out: this.ranges, based_on: this.revision }),
      });
      this.revision = edits.revision;
      this.saved = edits.left_out;
      this.told();
      this.say("Saved. The pipeline leaves these frames out from now on; nothing was deleted.");
    } catch (error) {
      this.say(error.message, true);
      if (error.theirs) this.merge(error.theirs);
    }
  }

  // Somebody else saved first. Theirs is put under ours: what we left out or brought back stays so.
  merge(theirs) {
    const ours = this.ranges;
    const broughtBack = ours.reduce((left, [first, last]) => without(left, first, last), this.saved);
    const both = broughtBack.reduce((left, [first, last]) => without(left, first, last), united([...theirs.left_out, ...ours]));
    const offer = document.createElement("span");
    offer.append(" ", button("Put mine on top of theirs", () => {
      this.revision = theirs.revision;
      this.saved = theirs.left_out;
      this.change(both);
      this.say("Both are marked now; look, and save.");
    }), " ", button("Take theirs", () => {
      this.past.push(ours);
      this.take(theirs);
      this.say("Theirs is marked now; undo brings yours back.");
    }));
    this.$("message").append(offer);
  }

  say(text, bad = false) {
    this.$("message").textContent = text;
    this.$("message").classList.toggle("bad", bad);
  }

  spot(way) {
    const rows = this.about.spots.map((spot) => spot.rows[0]);
    const next = way > 0 ? rows.find((row) => row > this.row) : rows.findLast((row) => row < this.row);
    if (next !== undefined) this.go(next);
  }

  listen() {
    this.$("seek").addEventListener("input", (event) => { this.play(false); this.go(Number(event.target.value)); });
    this.$("play").addEventListener("click", () => this.play(!this.playing));
    this.$("speed").addEventListener("change", () => this.setSpeed?.());
    this.$("from").addEventListener("click", () => this.begin());
    this.$("to").addEventListener("click", () => this.end());
    this.$("undo").addEventListener("click", () => this.step(this.past, this.future));
    this.$("redo").addEventListener("click", () => this.step(this.future, this.past));
    this.$("save").addEventListener("click", () => this.save());
    this.$("shut").addEventListener("click", () => shut(this));
    const chart = this.$("chart"), at = (event) => this.chart.row(event.clientX - chart.getBoundingClientRect().left);
    let start = null;
    chart.addEventListener("pointerdown", (event) => {
      chart.setPointerCapture(event.pointerId);
      this.play(false);
      start = { row: at(event), x: event.clientX };
      this.go(start.row);
    });
    chart.addEventListener("pointermove", (event) => {
      if (!start) return;
      if (Math.abs(event.clientX - start.x) > 4) this.drawn = [start.row, at(event)];
      this.go(at(event));
    });
    chart.addEventListener("pointerup", () => {
      const drawn = this.drawn;
      [start, this.drawn] = [null, null];
      if (drawn) this.change([...this.ranges, [this.stepOf(Math.min(...drawn)), this.stepOf(Math.max(...drawn))]]);
      this.draw();
    });
  }
}

// The last of `entries`, which ascend, whose value in `place` is not above `value`; the first where there is none.
function lastUpTo(entries, place, value) {
  let low = 0, high = entries.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (entries[middle][place] <= value) low = middle; else high = middle;
  }
  return low;
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;
const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
const item = (text) => Object.assign(document.createElement("li"), { textContent: text });
const button = (text, deed) => Object.assign(document.createElement("button"), { textContent: text, onclick: deed });

function activate(pane) { active = pane; }

function shut(pane) {
  if (pane.dirty && !confirm("Its marks are not saved. Close it all the same?")) return;
  pane.play(false);
  pane.root.remove();
  panes.splice(panes.indexOf(pane), 1);
  active = panes[0];
  arranged();
}

function arranged() {
  for (const pane of panes) {
    pane.$("shut").hidden = panes.length < 2;
    pane.resize().catch(() => {});
  }
  const open = new Set(panes.map((pane) => pane.id));
  for (const entry of document.querySelectorAll("#list li")) {
    entry.firstChild.setAttribute("aria-current", open.has(entry.dataset.id));
    entry.lastChild.disabled = open.has(entry.dataset.id) || panes.length > 1;
  }
}

async function show(id, beside) {
  if (!beside) {
    const old = active || panes[0];
    if (old?.dirty && !confirm("Marks are not saved. Leave them?")) return;
    if (old) { old.play(false); old.root.remove(); panes.splice(panes.indexOf(old), 1); }
  }
  const pane = new Pane(id);
  panes.push(pane);
  activate(pane);
  document.title = id;
  arranged();
  try {
    await pane.open();
  } catch (error) {
    pane.$("name").textContent = id;
    pane.say(error.message, true);
  }
}

const KEYS = {
  " ": (pane) => pane.play(!pane.playing),
  ArrowLeft: (pane, event) => { pane.play(false); pane.go(pane.row - (event.shiftKey ? pane.about.rate : 1)); },
  ArrowRight: (pane, event) => { pane.play(false); pane.go(pane.row + (event.shiftKey ? pane.about.rate : 1)); },
  Home: (pane) => pane.go(0),
  End: (pane) => pane.go(pane.about.rows - 1),
  "[": (pane) => pane.begin(),
  "]": (pane) => pane.end(),
  Delete: (pane) => pane.bringBack(),
  n: (pane) => pane.spot(1),
  p: (pane) => pane.spot(-1),
};
const CONTROL_KEYS = {
  z: (pane) => pane.step(pane.past, pane.future),
  y: (pane) => pane.step(pane.future, pane.past),
  s: (pane) => pane.save(),
};

document.addEventListener("keydown", (event) => {
  if (!active?.about) return;
  const control = event.ctrlKey || event.metaKey;
  const deed = (control ? CONTROL_KEYS : KEYS)[event.key];
  const typing = event.target.matches("select, summary") || (event.target.matches("button") && event.key === " ");
  if (!deed || typing || event.altKey) return;
  event.preventDefault();
  deed(active, event);
});
window.addEventListener("beforeunload", (event) => { if (panes.some((pane) => pane.dirty)) event.preventDefault(); });
let later;
window.addEventListener("resize", () => { clearTimeout(later); later = setTimeout(arranged, 150); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", arranged);

(async () => {
  const sessions = await ask("api/sessions");
  document.getElementById("list").replaceChildren(...sessions.map((session) => {
    const entry = document.createElement("li");
    entry.dataset.id = session.id;
    const open = button("", () => show(session.id, false));
    const about = [session.track || session.game, `${clock(session.seconds).slice(0, -3)} min`].filter(Boolean).join(", ");
    open.append(session.id.replace(/^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-.*$/, "$1-$2-$3 $4:$5"), Object.assign(document.createElement("small"), { textContent: about }));
    open.title = session.id;
    const beside = button("⧉", () => show(session.id, true));
    beside.title = "Show beside";
    beside.setAttribute("aria-label", `Show ${session.id} beside`);
    entry.append(open, beside);
    return entry;
  }));
  if (sessions.length) await show(sessions[0].id, true);
})().catch((error) => { document.getElementById("panes").textContent = error.message; });
