// When each node worked, in lanes; the chain that the end waited for is outlined, and listed below.
{
  const LANE = 18, LANES = 40, SCALE = 18, LISTED = 12;
  const canvas = byId("timeline");
  const bars = nodes.map((node, at) => at).filter(at => worked(nodes[at]));
  const lanes = bars.reduce((most, at) => Math.max(most, (nodes[at].lane || 0) + 1), 0);
  const total = bars.reduce((most, at) => Math.max(most, nodes[at].began_ms + nodes[at].duration_ms), Math.max(1, run.run.duration_ms));
  const spent = run.critical.reduce((sum, at) => sum + nodes[at].duration_ms, 0);

  // The round number of milliseconds between two marks of the scale.
  function step(rough) {
    const ten = Math.pow(10, Math.floor(Math.log10(Math.max(rough, 1))));
    return [1, 2, 5, 10].map(factor => factor * ten).find(one => one >= rough);
  }

  function draw() {
    const width = canvas.clientWidth, height = Math.min(Math.max(lanes, 1), LANES) * LANE + SCALE;
    const ratio = devicePixelRatio || 1, style = getComputedStyle(document.documentElement), colours = new Map();
    const colour = name => {
      if (!colours.has(name)) colours.set(name, style.getPropertyValue(name).trim());
      return colours.get(name);
    };
    canvas.style.height = `${height}px`;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = "12px system-ui,sans-serif";
    const each = step(total / Math.max(2, width / 110));
    for (let time = 0; time <= total; time += each) {
      const x = Math.min(time / total * width, width - 1), text = duration(Math.round(time));
      pen.fillStyle = colour("--line");
      pen.fillRect(x, 0, 1, height - SCALE);
      pen.fillStyle = colour("--dim");
      const wide = pen.measureText(text).width;
      pen.fillText(text, Math.min(x, width - wide), height - 4);
    }
    const shown = new Set(state.shown), rank = at => at === state.chosen ? 2 : critical.has(at) ? 1 : 0;
    // What is marked is drawn last: where bars are narrower than a line, one covers another.
    for (const at of [...bars].sort((a, b) => rank(a) - rank(b))) {
      const node = nodes[at], lane = node.lane || 0;
      if (lane >= LANES) continue;
      const x = node.began_ms / total * width, y = lane * LANE, wide = Math.max(2, node.duration_ms / total * width);
      pen.globalAlpha = shown.has(at) ? 1 : .2;
      pen.fillStyle = colour(`--${node.outcome}`);
      pen.fillRect(x, y + 1, wide, LANE - 3);
      const marked = at === state.chosen ? "--text" : critical.has(at) ? "--critical" : `--${node.outcome}-line`;
      if (wide > 3 || at === state.chosen || critical.has(at)) {
        pen.strokeStyle = colour(marked);
        pen.lineWidth = at === state.chosen || critical.has(at) ? 2 : 1;
        pen.strokeRect(x + .5, y + 1.5, Math.max(wide - 1, 1), LANE - 4);
      }
      if (wide > 44) {
        pen.save();
        pen.beginPath();
        pen.rect(x, y, wide - 2, LANE);
        pen.clip();
        pen.fillStyle = colour("--text");
        pen.fillText(node.node, x + 5, y + LANE - 5);
        pen.restore();
      }
    }
    pen.globalAlpha = 1;
  }

  function under(event) {
    const box = canvas.getBoundingClientRect(), slack = total / box.width * 3;
    const time = (event.clientX - box.left) / box.width * total, lane = Math.floor((event.clientY - box.top) / LANE);
    return bars.find(at => (nodes[at].lane || 0) === lane && time >= nodes[at].began_ms - slack && time <= nodes[at].began_ms + nodes[at].duration_ms + slack);
  }

  canvas.onclick = event => { const at = under(event); if (at != null) choose(at); };
  canvas.onmousemove = event => {
    const at = under(event);
    canvas.title = at == null ? "" : `${nodes[at].node}: ${WORDS[nodes[at].outcome]}, ${duration(nodes[at].duration_ms)}`;
  };
  const hidden = lanes > LANES ? `; the first ${LANES} of ${lanes} lanes are drawn` : "";
  const aside = lanes < 2 ? "one at a time" : `up to ${lanes} at a time`;
  byId("timeline-note").textContent = bars.length ? `${count(bars.length, "node")} worked, ${aside}; the critical path has a violet line${hidden}` : "no node worked";
  canvas.setAttribute("aria-label", bars.length ? `timeline: ${byId("timeline-note").textContent}. The list of nodes below, ordered as they started, has the same.` : "an empty timeline");
  canvas.hidden = !bars.length;

  byId("critical-note").textContent = run.critical.length
    ? `the chain that the end waited for: ${duration(spent)} of ${duration(run.run.duration_ms)} (${share(spent, run.run.duration_ms)})` : "nothing was waited for";
  const longest = new Set([...run.critical].sort((a, b) => nodes[b].duration_ms - nodes[a].duration_ms).slice(0, LISTED));
  for (const at of run.critical.filter(at => longest.has(at))) {
    const item = make("li"), one = link(at);
    one.append(` ${duration(nodes[at].duration_ms)}`);
    item.append(one);
    byId("critical").append(item);
  }
  const rest = run.critical.length - longest.size;
  if (rest > 0) byId("critical").append(make("li", `and ${count(rest, "shorter one")} between`));
  watch(draw);
  addEventListener("resize", draw);
}
