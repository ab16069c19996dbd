// What failed is looked at first; else what the end waited for.
state.chosen = nodes.findIndex(node => node.outcome === "failed");
if (state.chosen < 0) state.chosen = run.critical.length ? run.critical[run.critical.length - 1] : nodes.length ? 0 : -1;
changed();
