// What the run came to, and the reader's choice of light or dark.
{
  const of = outcome => nodes.filter(node => node.outcome === outcome).length;
  const kept = of("fresh") + of("restored");
  const put = (name, value) => {
    if (value == null || value === "") return;
    const pair = make("div");
    pair.append(make("dt", name), value instanceof Node ? value : make("dd", value));
    byId("facts").append(pair);
  };
  const outcome = make("dd");
  outcome.append(make("span", `${MARKS[run.run.outcome]} ${WORDS[run.run.outcome]}`, `badge ${run.run.outcome}`));
  put("outcome", outcome);
  put("took", duration(run.run.duration_ms));
  put("when", new Date(run.run.started * 1000).toLocaleString());
  put("revision", run.run.revision);
  put("targets", run.run.targets.join(" ") || "the defaults");
  put("nodes", OUTCOMES.filter(of).map(one => `${grouped(of(one))} ${WORDS[one]}`).join(", "));
  if (nodes.length) {
    const saved = run.saved_ms ? `, ${duration(run.saved_ms)} of work saved` : "";
    put("from the cache", `${grouped(kept)} of ${count(nodes.length, "node")} (${share(kept, nodes.length)})${saved}`);
  }
  const sized = nodes.filter(node => node.size != null);
  put("artifacts", sized.length ? size(sized.reduce((sum, node) => sum + node.size, 0)) : "");

  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme:dark)");
  const dark = () => root.classList.contains("dark") || (!root.classList.contains("light") && system.matches);
  const label = () => {
    byId("theme").textContent = dark() ? "Light" : "Dark";
    byId("theme").setAttribute("aria-label", dark() ? "Show in light colours" : "Show in dark colours");
  };
  byId("theme").onclick = () => {
    const next = dark() ? "light" : "dark";
    root.classList.remove("light", "dark");
    root.classList.add(next);
    label();
    changed();
  };
  system.addEventListener("change", () => { label(); changed(); });
  label();
}
