// The run as the page holds it, how it is worded, and what all parts share: which nodes are shown
// and which is chosen. Each part says `watch` what it does when that changes.
const run = JSON.parse(byId("data").textContent);
const nodes = run.nodes;
const OUTCOMES = ["failed", "interrupted", "ran", "restored", "fresh", "skipped"];
const WORDS = { ran: "ran", restored: "put back", fresh: "fresh", failed: "failed", skipped: "skipped", interrupted: "interrupted" };
const MARKS = { ran: "●", restored: "↺", fresh: "✓", failed: "✗", skipped: "–", interrupted: "!" };
const critical = new Set(run.critical);
const state = { shown: nodes.map((_, at) => at), chosen: -1 };
const watchers = [];

for (const node of nodes) {
  Object.assign(node, { down: [], began_ms: node.began_ms || 0, duration_ms: node.duration_ms || 0, up: node.up || [], after: node.after || [], reasons: node.reasons || [], notes: node.notes || [], tail: node.tail || [], cause: node.cause || "" });
}
nodes.forEach((node, at) => node.up.forEach(up => nodes[up].down.push(at)));

function byId(id) { return document.getElementById(id); }

function make(tag, text, classes) {
  const made = document.createElement(tag);
  if (text != null) made.textContent = text;
  if (classes) made.className = classes;
  return made;
}

function watch(what) { watchers.push(what); }

function changed() { for (const what of watchers) what(); }

function choose(at) {
  if (at === state.chosen) return;
  state.chosen = at;
  changed();
}

// A button that chooses a node, for names in running text.
function link(at) {
  const button = make("button", nodes[at].node, "link mono");
  button.type = "button";
  button.onclick = () => { choose(at); byId("detail").focus(); };
  return button;
}

function grouped(number) { return String(number).replace(/\B(?=(\d{3})+$)/g, ","); }

function count(number, noun) { return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`; }

// As the program words them elsewhere.
function duration(ms) {
  const two = number => String(number).padStart(2, "0");
  if (ms < 1000) return `${ms} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.floor((ms + 500) / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h${two(Math.floor(seconds / 60) % 60)}m`;
  return `${Math.floor(seconds / 86400)}d${two(Math.floor(seconds / 3600) % 24)}h`;
}

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (bytes >= 1023.5 && unit < 4) { bytes /= 1024; unit++; }
  return `${unit && bytes < 99.95 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

// Whether it did something in this run.
function worked(node) { return node.outcome !== "fresh" && node.outcome !== "skipped"; }

function share(part, whole) { return whole ? `${Math.round(100 * part / whole)} %` : ""; }
