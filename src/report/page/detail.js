// All that is known of the chosen node.
{
  const pane = byId("detail"), MOST = 40;

  function links(all) {
    const box = make("dd", null, "links");
    box.append(...all.slice(0, MOST).map(link));
    if (all.length > MOST) box.append(make("span", `and ${grouped(all.length - MOST)} more`));
    return box;
  }

  function artifact(node) {
    const told = node.same === true ? "the same as before" : node.same === false ? "another than before" : null;
    return [node.size == null ? null : size(node.size), told].filter(Boolean).join(", ");
  }

  function show() {
    const title = make("h3", state.chosen < 0 ? "No node is chosen" : nodes[state.chosen].node, "mono");
    title.id = "detail-title";
    pane.replaceChildren(title);
    if (state.chosen < 0) return;
    const node = nodes[state.chosen], list = make("dl");
    const put = (name, value) => {
      if (value == null || value === "") return;
      list.append(make("dt", name), value instanceof Node ? value : make("dd", value));
    };
    const outcome = make("dd");
    outcome.append(make("span", `${MARKS[node.outcome]} ${WORDS[node.outcome]}`, `badge ${node.outcome}`), critical.has(state.chosen) ? " on the critical path" : "");
    put("outcome", outcome);
    put("kind", node.kind);
    if (worked(node)) {
      put("took", duration(node.duration_ms));
      put("began after", duration(node.began_ms));
    }
    put("usually", node.usual);
    put("artifact", artifact(node));
    put("compared with", node.baseline == null ? null : `run ${node.baseline}`);
    put("needs", node.up.length ? links(node.up) : null);
    put("needed by", node.down.length ? links(node.down) : null);
    if (node.key) { const key = make("dd", node.key, "mono"); put("key", key); }
    pane.append(list);
    if (node.reasons.length) pane.append(make("h4", "Why"), make("pre", node.reasons.join("\n")));
    if (node.notes.length) pane.append(make("h4", "Notes"), make("pre", node.notes.join("\n")));
    if (node.tail.length) pane.append(make("h4", "The end of its output"), make("pre", node.tail.join("\n")));
  }
  watch(show);
}
