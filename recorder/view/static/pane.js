"use strict";
// One session on the page: its frame, what was done there, the chart, and playing.

const AHEAD = 24;          // pictures fetched before they are shown
const KEPT_PICTURES = 96;  // and kept
const CHUNK = 512;         // rows of values fetched at a time
const KEPT_CHUNKS = 16;
const MOST_SPOTS = 200;    // in the list; the chart shows all

class Pane extends Marks {
  constructor(id) {
    super();
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
    this.listSpots();
    await this.resize();
    this.say("");
    this.work(true);
    this.go(this.row);
  }

  // Nothing can be done with a session that is not here yet, or cannot be read.
  work(on) { for (const part of ["chart", "seek", "tools"]) this.$(part).inert = !on; }

  listSpots() {
    const { spots } = this.about, more = spots.length - MOST_SPOTS;
    const entries = spots.slice(0, MOST_SPOTS).map((spot) => this.spotItem(spot));
    if (!spots.length) entries.push(item("None."));
    if (more > 0) entries.push(item(`And ${more} more: n goes from one to the next.`));
    this.$("spots").replaceChildren(...entries);
  }

  spotItem(spot) {
    const entry = document.createElement("li");
    entry.append(button(`${this.timeOf(spot.rows[0])}  ${spot.text}`, () => this.go(spot.rows[0])));
    entry.firstChild.style.borderLeftColor = `var(${SPOT_COLOURS[spot.kind] || "--faint"})`;
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

  secondsOf(row) {
    const at = this.about.steps[lastUpTo(this.about.steps, 0, row)];
    return at[2] + (row - at[0]) / this.about.rate;
  }

  rowAt(seconds) {
    const place = lastUpTo(this.about.steps, 2, seconds), at = this.about.steps[place], next = this.about.steps[place + 1];
    return Math.min(at[0] + Math.round((seconds - at[2]) * this.about.rate), (next ? next[0] : this.about.rows) - 1);
  }

  timeOf(row) { return clock(this.secondsOf(row)); }

  // Where we are.
  go(row, led = false) {
    this.row = Math.max(0, Math.min(this.about.rows - 1, Math.round(row)));
    this.draw();
    this.showPicture();
    this.showValues();
    if (!led) follow(this);
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
    const actor = actors[chunk.actor[row - chunk.first]];
    this.$("actor").textContent = `${actor} acted`;
    this.$("actor").style.setProperty("--who", `var(--${actor}, var(--faint))`);
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
