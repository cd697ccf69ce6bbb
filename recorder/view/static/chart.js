"use strict";
// The chart under a frame: lines of the axes, lanes of the buttons, who acted, spots, and what is left out.

const LANE = 13, TOP = 14, BAND = 92, ACTORS = 5;
const SPOT_COLOURS = { gap: "--out", stuck: "--done", taps: "--done", lap: "--steer", failure: "--out", takeover: "--human" };

class Chart {
  constructor(root) {
    this.lines = root.querySelector(".lines");
    this.above = root.querySelector(".above");
    this.root = root;
    this.colours = new Map();
  }

  // A canvas knows no light-dark(): the browser is asked what comes of it.
  colour(name) {
    if (!this.colours.has(name)) {
      this.root.style.color = `var(${name}, gray)`;
      this.colours.set(name, getComputedStyle(this.root).color);
      this.root.style.color = "";
    }
    return this.colours.get(name);
  }

  get height() { return TOP + BAND * Math.max(1, this.about.axes.length) + LANE * this.about.buttons.length + ACTORS + 6; }

  // Everything that only changes with the width.
  show(about, data) {
    this.about = about;
    this.data = data;
    this.colours.clear(); // it may have become dark
    const width = this.root.clientWidth, height = this.height, scale = window.devicePixelRatio || 1;
    for (const canvas of [this.lines, this.above]) {
      canvas.width = width * scale;
      canvas.height = height * scale;
      canvas.getContext("2d").setTransform(scale, 0, 0, scale, 0, 0);
    }
    this.lines.style.height = `${height}px`;
    const draw = this.lines.getContext("2d");
    draw.clearRect(0, 0, width, height);
    about.axes.forEach((name, place) => {
      const middle = TOP + BAND * (place + 0.5);
      draw.strokeStyle = this.colour("--line");
      draw.beginPath();
      draw.moveTo(0, middle);
      draw.lineTo(width, middle);
      draw.stroke();
      if (place === 0) this.area(draw, data.done_low, data.done_high, middle, this.colour("--done"));
      this.area(draw, data.low[name], data.high[name], middle, this.colour(place ? "--faint" : "--steer"));
      this.write(draw, name, middle - BAND / 2 + 14, 12);
    });
    const lanes = TOP + BAND * Math.max(1, about.axes.length);
    about.buttons.forEach((name, place) => {
      draw.fillStyle = this.colour("--steer");
      this.columns((x, next, column) => {
        if (data.high[name][column] <= 0.5) return;
        draw.fillRect(Math.floor(x), lanes + LANE * place + 1, Math.ceil(next) - Math.floor(x), LANE - 3);
      });
      this.write(draw, name, lanes + LANE * place + 10, 11);
    });
    const foot = height - ACTORS;
    this.columns((x, next, column) => {
      draw.fillStyle = this.colour(`--${about.actors[data.actor[column]]}`) ;
      draw.fillRect(Math.floor(x), foot, Math.ceil(next) - Math.floor(x), ACTORS);
    });
    for (const spot of about.spots) {
      draw.fillStyle = this.colour(SPOT_COLOURS[spot.kind] || "--faint");
      const x = this.x(spot.rows[0]);
      draw.fillRect(x, 3, Math.max(3, this.x(spot.rows[1] + 1) - x), 6);
    }
  }

  // With a rim, as lines pass behind it.
  write(draw, text, y, size) {
    draw.font = `${size}px system-ui, sans-serif`;
    draw.lineWidth = 4;
    draw.lineJoin = "round";
    draw.strokeStyle = this.colour("--panel");
    draw.strokeText(text, 6, y);
    draw.lineWidth = 1;
    draw.fillStyle = this.colour("--ink");
    draw.fillText(text, 6, y);
  }

  area(draw, low, high, middle, colour) {
    const half = BAND / 2 - 6;
    draw.fillStyle = colour;
    this.columns((x, next, column) => {
      const before = Math.max(0, column - 1); // each column reaches to the one before, so that the line has no holes
      const top = middle - half * Math.max(high[column], low[before]);
      const bottom = middle - half * Math.min(low[column], high[before]);
      draw.fillRect(x, top - 0.7, Math.max(1, next - x), bottom - top + 1.4);
    });
  }

  columns(each) {
    const { starts } = this.data;
    starts.forEach((row, column) => {
      each(this.x(row), this.x(column + 1 < starts.length ? starts[column + 1] : this.about.rows), column);
    });
  }

  x(row) { return (row / this.about.rows) * this.root.clientWidth; }

  row(x) {
    const row = Math.floor((x / this.root.clientWidth) * this.about.rows);
    return Math.max(0, Math.min(this.about.rows - 1, row));
  }

  // Everything that moves: where we are, what is left out, what is being marked.
  mark(row, ranges, drawn) {
    if (!this.about) return;
    const draw = this.above.getContext("2d"), width = this.root.clientWidth, height = this.height;
    draw.clearRect(0, 0, width, height);
    const shade = (first, last, alpha) => {
      draw.globalAlpha = alpha;
      draw.fillStyle = this.colour("--out");
      draw.fillRect(this.x(first), 0, Math.max(2, this.x(last + 1) - this.x(first)), height);
      draw.globalAlpha = 1;
    };
    for (const [first, last] of ranges) shade(first, last, 0.28);
    if (drawn) shade(Math.min(...drawn), Math.max(...drawn), 0.45);
    draw.fillStyle = this.colour("--ink");
    draw.fillRect(this.x(row + 0.5) - 1, 0, 2, height);
  }
}
