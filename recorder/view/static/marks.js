"use strict";
// What a person leaves out of a session, kept here until it is saved; what is saved is `edits.json` beside the session.
// The half of a pane that is about that: pane.js has the other.

class Marks {
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
}
