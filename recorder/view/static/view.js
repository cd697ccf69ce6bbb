"use strict";
// Which sessions are on the page, side by side, and the keys.

const panes = [];
const together = document.querySelector("#together input");
let active = null;

// The one that keys are for.
function activate(pane) {
  active = pane;
  for (const other of panes) other.root.classList.toggle("active", other === pane && panes.length > 1);
}

// From the moment on at which it is ticked, sessions keep the distance in time that they have then.
together.addEventListener("change", () => {
  for (const pane of panes) pane.met = pane.about ? pane.secondsOf(pane.row) : 0;
});

function follow(leader) {
  if (!together.checked) return;
  for (const pane of panes) {
    if (pane === leader || !pane.about) continue;
    pane.play(false);
    pane.go(pane.rowAt(pane.met + leader.secondsOf(leader.row) - leader.met), true);
  }
}

function shut(pane) {
  if (pane.dirty && !confirm("Its marks are not saved. Close it all the same?")) return;
  pane.play(false);
  pane.root.remove();
  panes.splice(panes.indexOf(pane), 1);
  activate(panes[0]);
  arranged();
}

function arranged() {
  together.parentElement.hidden = panes.length < 2;
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
  const there = panes.find((pane) => pane.id === id && pane.about);
  if (there) { activate(there); return; }
  if (!beside) {
    const old = active || panes[0];
    if (old?.dirty && !confirm("Marks are not saved. Leave them?")) return;
    if (old) { old.play(false); old.root.remove(); panes.splice(panes.indexOf(old), 1); }
  }
  together.checked = false;
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
  i: (pane) => pane.begin(), // brackets are hard to reach on many keyboards
  "]": (pane) => pane.end(),
  o: (pane) => pane.end(),
  Delete: (pane) => pane.bringBack(),
  n: (pane) => pane.spot(1),
  p: (pane) => pane.spot(-1),
};
const CONTROL_KEYS = {
  z: (pane) => pane.step(pane.past, pane.future),
  y: (pane) => pane.step(pane.future, pane.past),
  Z: (pane) => pane.step(pane.future, pane.past),
  s: (pane) => pane.save(),
};

document.addEventListener("keydown", (event) => {
  if (!active?.about) return;
  const third = event.getModifierState("AltGraph"); // types [ and ]; Windows says that it is ctrl and alt
  const control = !third && (event.ctrlKey || event.metaKey);
  const deed = (control ? CONTROL_KEYS : KEYS)[event.key];
  const typing = event.target.matches("select, summary") || (event.target.matches("button") && event.key === " ");
  if (!deed || typing || (event.altKey && !third)) return;
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
