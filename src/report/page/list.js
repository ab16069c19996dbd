// The nodes in a list, of which only the visible rows exist; searched, filtered and ordered.
{
  const list = byId("list"), box = byId("rows"), field = byId("search"), order = byId("order");
  const ROW = 30, SPARE = 8, PAGE = 15;
  const texts = nodes.map(node => [node.node, node.kind, node.outcome, WORDS[node.outcome], node.cause, ...node.reasons, ...node.notes, ...node.tail].join("\n").toLowerCase());
  const named = (a, b) => nodes[a].node < nodes[b].node ? -1 : nodes[a].node > nodes[b].node ? 1 : 0;
  const idle = at => worked(nodes[at]) ? 0 : 1;
  const ORDERS = {
    "what is needed first": (a, b) => a - b,
    "slowest first": (a, b) => idle(a) - idle(b) || nodes[b].duration_ms - nodes[a].duration_ms || a - b,
    "as they started": (a, b) => idle(a) - idle(b) || nodes[a].began_ms - nodes[b].began_ms || a - b,
    "largest artifact first": (a, b) => (nodes[b].size || 0) - (nodes[a].size || 0) || a - b,
    "by name": named,
  };
  let only = null, last = -1;

  function rows() {
    const shown = state.shown;
    box.style.height = `${shown.length * ROW}px`;
    const from = Math.max(0, Math.floor(list.scrollTop / ROW) - SPARE);
    const to = Math.min(shown.length, from + Math.ceil(list.clientHeight / ROW) + 2 * SPARE);
    const made = [];
    for (let place = from; place < to; place++) {
      const at = shown[place], node = nodes[at];
      const row = make("div", null, `row${at === state.chosen ? " chosen" : ""}${critical.has(at) ? " critical" : ""}`);
      row.style.top = `${place * ROW}px`;
      row.id = `row-${at}`;
      const took = worked(node) ? duration(node.duration_ms) : "", bytes = node.size == null ? "" : size(node.size);
      for (const [name, value] of Object.entries({ role: "option", "aria-selected": at === state.chosen, "aria-posinset": place + 1, "aria-setsize": shown.length,
        "aria-label": [node.node, WORDS[node.outcome], took, bytes, critical.has(at) && "on the critical path", node.cause].filter(Boolean).join(", ") })) row.setAttribute(name, value);
      row.append(make("span", node.node, "name mono"), make("span", `${MARKS[node.outcome]} ${WORDS[node.outcome]}`, `badge ${node.outcome}`),
        make("span", took, "num"), make("span", bytes, "num"), make("span", node.cause, "why"));
      row.title = node.node;
      row.onclick = () => choose(at);
      made.push(row);
    }
    box.replaceChildren(...made);
    if (byId(`row-${state.chosen}`)) list.setAttribute("aria-activedescendant", `row-${state.chosen}`);
    else list.removeAttribute("aria-activedescendant");
  }

  function filter() {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    state.shown = nodes.map((_, at) => at).filter(at => (!only || nodes[at].outcome === only) && words.every(word => texts[at].includes(word)));
    if (order.selectedIndex > 0) state.shown.sort(ORDERS[order.value]);
    byId("count").textContent = words.length || only ? `${grouped(state.shown.length)} of ${count(nodes.length, "node")}` : count(nodes.length, "node");
    list.scrollTop = 0;
    if (state.shown.length && !state.shown.includes(state.chosen) && (words.length || only)) state.chosen = state.shown[0];
    last = -1;
    changed();
  }

  function move(by) {
    const shown = state.shown, place = shown.indexOf(state.chosen);
    if (shown.length) choose(shown[Math.max(0, Math.min(shown.length - 1, place < 0 ? 0 : place + by))]);
  }

  const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE, Home: -nodes.length, End: nodes.length };
  const keys = typing => event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (STEPS[event.key] && !(typing && (event.key === "Home" || event.key === "End"))) {
      event.preventDefault();
      move(STEPS[event.key]);
    } else if (event.key === "Enter" && state.chosen >= 0) {
      event.preventDefault();
      byId("detail").focus();
    }
  };
  list.addEventListener("keydown", keys(false));
  field.addEventListener("keydown", keys(true));
  list.addEventListener("scroll", rows);
  addEventListener("resize", rows);
  field.oninput = filter;
  addEventListener("keydown", event => {
    const typing = event.target.matches("input,select,textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "Escape") {
      if (byId("detail").contains(document.activeElement)) list.focus();
      else if (field.value || only) { field.value = ""; press(null); filter(); }
    }
  });

  const buttons = new Map();
  function press(outcome) {
    only = outcome;
    for (const [one, button] of buttons) button.setAttribute("aria-pressed", one === only);
  }
  for (const outcome of OUTCOMES) {
    const many = nodes.filter(node => node.outcome === outcome).length;
    if (!many) continue;
    const button = make("button", `${MARKS[outcome]} ${grouped(many)} ${WORDS[outcome]}`, outcome);
    button.type = "button";
    button.onclick = () => { press(only === outcome ? null : outcome); filter(); };
    buttons.set(outcome, button);
    byId("outcomes").append(button);
  }
  press(null);
  order.append(...Object.keys(ORDERS).map(name => make("option", name)));
  order.onchange = filter;

  watch(() => {
    const place = state.shown.indexOf(state.chosen);
    box.style.height = `${state.shown.length * ROW}px`;
    // A list that the reader has scrolled stays where it is until another node is chosen.
    if (place >= 0 && state.chosen !== last) {
      if (place * ROW < list.scrollTop) list.scrollTop = place * ROW;
      else if ((place + 1) * ROW > list.scrollTop + list.clientHeight) list.scrollTop = (place + 1) * ROW - list.clientHeight;
    }
    last = state.chosen;
    rows();
  });
  byId("count").textContent = count(nodes.length, "node");
}
