// Who needs whom, left to right. Where every node has its column and row was worked out when the
// page was written; of a large graph only what is near the chosen node is drawn, closed up.
{
  const WHOLE = 400, NEAR = 80, STEPS = 3, LETTER = 8, LONGEST = 44;
  const BOX = 30, ROW = 44, GAP = 64, PAD = 12, EDGE = 16;
  const picture = byId("picture"), around = byId("around"), large = nodes.length > WHOLE;
  let drawn = null, places = new Map(), groups = new Map(), columns = [];

  const element = (tag, attributes, text) => {
    const made = document.createElementNS(picture.namespaceURI, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text != null) made.textContent = text;
    return made;
  };
  const short = name => { const letters = [...name]; return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : name; };

  // The nodes nearest to `from` by what they need and who needs them.
  function near(from) {
    const found = new Set([from]);
    let ring = [from];
    for (let steps = 0; steps < STEPS && ring.length; steps++) {
      const next = [];
      for (const at of ring) for (const one of [...nodes[at].up, ...nodes[at].down]) {
        if (found.size >= NEAR) return found;
        if (!found.has(one)) { found.add(one); next.push(one); }
      }
      ring = next;
    }
    return found;
  }

  function arrange(set) {
    const used = [...new Set(set.map(at => nodes[at].column || 0))].sort((a, b) => a - b);
    columns = used.map(column => set.filter(at => (nodes[at].column || 0) === column).sort((a, b) => (nodes[a].row || 0) - (nodes[b].row || 0)));
    places = new Map();
    let x = EDGE;
    const tallest = Math.max(0, ...columns.map(column => column.length));
    for (const column of columns) {
      const wide = Math.max(...column.map(at => [...short(nodes[at].node)].length + 2)) * LETTER + 2 * PAD;
      column.forEach((at, row) => places.set(at, { x, y: EDGE + row * ROW, wide }));
      x += wide + GAP;
    }
    return [Math.max(x - GAP, EDGE) + EDGE, Math.max(0, tallest * ROW - (ROW - BOX)) + 2 * EDGE];
  }

  function draw(set) {
    const [width, height] = arrange(set), edges = [], boxes = [];
    picture.replaceChildren();
    groups = new Map();
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) picture.setAttribute(name, value);
    for (const at of set) for (const up of nodes[at].up) {
      const from = places.get(up), to = places.get(at);
      if (!from) continue;
      const left = from.x + from.wide, bend = Math.max(20, (to.x - left) / 2);
      const classes = [nodes[at].after.includes(up) && "after", critical.has(at) && critical.has(up) && "critical"].filter(Boolean).join(" ");
      edges.push(element("path", { class: classes, "data-from": up, "data-to": at, "aria-hidden": true,
        d: `M${left} ${from.y + BOX / 2}C${left + bend} ${from.y + BOX / 2} ${to.x - bend} ${to.y + BOX / 2} ${to.x} ${to.y + BOX / 2}` }));
    }
    for (const at of columns.flat()) {
      const node = nodes[at], place = places.get(at);
      const took = worked(node) ? `, ${duration(node.duration_ms)}` : "";
      const label = `${node.node}: ${WORDS[node.outcome]}${took}${critical.has(at) ? ", on the critical path" : ""}`;
      const group = element("g", { role: "button", "data-at": at, "aria-label": label, tabindex: -1 });
      group.append(element("title", {}, label), element("rect", { x: place.x, y: place.y, width: place.wide, height: BOX, rx: 6 }),
        element("text", { x: place.x + PAD, y: place.y + BOX / 2 + 5, "aria-hidden": true }, `${MARKS[node.outcome]} ${short(node.node)}`));
      groups.set(at, group);
      boxes.push(group);
    }
    picture.append(...edges, ...boxes);
  }

  // Brings a node into the frame without moving the page.
  function reveal(at) {
    const frame = byId("graph"), place = places.get(at);
    if (!place) return;
    if (place.x < frame.scrollLeft || place.x + place.wide > frame.scrollLeft + frame.clientWidth) frame.scrollLeft = place.x + place.wide / 2 - frame.clientWidth / 2;
    if (place.y < frame.scrollTop || place.y + BOX > frame.scrollTop + frame.clientHeight) frame.scrollTop = place.y + BOX / 2 - frame.clientHeight / 2;
  }

  function show() {
    const only = (large || around.checked) && state.chosen >= 0;
    const set = only ? [...near(state.chosen)].sort((a, b) => a - b) : large ? [] : nodes.map((_, at) => at);
    const key = set.join();
    const inside = picture.contains(document.activeElement);
    if (key !== drawn) { draw(set); drawn = key; }
    byId("graph-note").textContent = only ? `${count(set.length, "node")} of ${grouped(nodes.length)} around the chosen one; what needs what, from left to right`
      : large ? `of ${count(nodes.length, "node")} only what is around a chosen one is drawn` : "what needs what, from left to right; dashed where nothing is read";
    const shown = new Set(state.shown), stop = groups.has(state.chosen) ? state.chosen : columns.flat()[0];
    for (const [at, group] of groups) {
      group.setAttribute("class", [nodes[at].outcome, critical.has(at) && "critical", at === state.chosen && "chosen", !shown.has(at) && "other"].filter(Boolean).join(" "));
      group.setAttribute("aria-pressed", at === state.chosen);
      group.setAttribute("tabindex", at === stop ? 0 : -1);
    }
    for (const edge of picture.querySelectorAll("path")) edge.classList.toggle("near", edge.dataset.from == state.chosen || edge.dataset.to == state.chosen);
    if (inside && groups.has(stop)) groups.get(stop).focus({ preventScroll: true });
    reveal(state.chosen);
  }

  // The neighbour of `at` in the direction of a key, the nearest one.
  function beside(at, key) {
    const column = columns.find(column => column.includes(at)), row = column.indexOf(at);
    if (key === "ArrowUp") return column[row - 1];
    if (key === "ArrowDown") return column[row + 1];
    const among = (key === "ArrowLeft" ? nodes[at].up : nodes[at].down).filter(one => places.has(one));
    const far = one => Math.abs(places.get(one).x - places.get(at).x) + Math.abs(places.get(one).y - places.get(at).y);
    return among.sort((a, b) => far(a) - far(b))[0];
  }

  const target = event => { const group = event.target.closest("g[data-at]"); return group ? Number(group.dataset.at) : -1; };
  picture.addEventListener("click", event => { const at = target(event); if (at >= 0) choose(at); });
  picture.addEventListener("keydown", event => {
    const at = target(event);
    if (at < 0) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      choose(at);
      if (event.key === "Enter") byId("detail").focus();
    } else if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      const next = beside(at, event.key);
      if (next == null) return;
      for (const group of groups.values()) group.setAttribute("tabindex", -1);
      groups.get(next).setAttribute("tabindex", 0);
      groups.get(next).focus({ preventScroll: true });
      reveal(next);
    }
  });
  byId("around-label").hidden = large || nodes.length < 2;
  around.onchange = show;
  watch(show);
}
