"use strict";
// What the page's scripts share: asking the server, ranges of steps, times and small elements.

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
