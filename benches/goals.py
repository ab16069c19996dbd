"""The eight goals: absolute, against the best peer, and against the machine's limit."""
import statistics

from scenarios import W1

OK, MISS, UNKNOWN = "pass", "MISS", "-"
FULL = {"files": 20000, "bytes": 400_000_000, "binary": 340_000_000}


class Results:
    def __init__(self, runs, limits, full):
        self.runs, self.limits, self.full = runs, limits, full

    def of(self, workload, tool, scenario):
        return [r for r in self.runs if (r.workload, r.tool, r.scenario) == (workload, tool, scenario)]

    def wall(self, workload, tool, scenario):
        """Median milliseconds; none where it was not run or did not give what it should."""
        runs = self.of(workload, tool, scenario)
        if not runs or any(r.outcome != "ok" for r in runs):
            return None
        return statistics.median(r.taken.wall for r in runs) * 1e3

    def rss(self, workload, tool, scenario):
        runs = self.of(workload, tool, scenario)
        return max(r.taken.rss for r in runs) if runs else None

    def limit(self, *names):
        values = [self.limits.get(name) for name in names]
        return None if None in values else sum(values)


def verdict(value, most):
    return UNKNOWN if value is None or most is None else OK if value <= most else MISS


def number(value, unit="ms"):
    return "-" if value is None else ("%.1f %s" if value < 100 else "%.0f %s") % (value, unit)


class Row:
    """One line: a figure of osgraph, held against three measures."""

    def __init__(self, results, goal, what, place, most=None, memory=None, peer=None, limit=None, full=True):
        workload, scenario = place
        self.goal, self.what = goal, what
        self.value = results.wall(workload, "osgraph", scenario)
        # The right content by exactly the right steps is part of every goal.
        self.wrong = any(not run.exact for run in results.of(workload, "osgraph", scenario))
        self.verdicts = [MISS] if self.wrong else []
        self.absolute = self.measure_absolute(results, place, most if full else None, memory if full else None)
        self.peer = self.measure(peer and "%s %s" % (peer[0], number(peer[1])), peer and peer[1], peer and peer[2])
        self.limit = self.measure(limit and number(limit[0]), limit and limit[0], limit and limit[1])

    def measure_absolute(self, results, place, most, memory):
        parts = []
        if most is not None:
            self.verdicts.append(verdict(self.value, most))
            parts.append("<= %s %s" % (number(most), self.verdicts[-1]))
        if memory is not None:
            used = results.rss(place[0], "osgraph", place[1])
            self.verdicts.append(verdict(used, memory))
            parts.append("%s <= %d MiB %s" % (number(used, "MiB"), memory, self.verdicts[-1]))
        return ", ".join(parts) or "-"

    def measure(self, shown, against, factor):
        if against is None or factor is None:
            return "-" if shown is None else "%s" % shown
        ratio = None if self.value is None else self.value / against
        self.verdicts.append(verdict(ratio, factor))
        return "%s of %s, <= %.2f %s" % ("-" if ratio is None else "%.2f" % ratio, shown, factor, self.verdicts[-1])

    def cells(self):
        overall = MISS if MISS in self.verdicts else OK if OK in self.verdicts else UNKNOWN
        shown = number(self.value) + (" (wrong)" if self.wrong else "")
        return [self.goal, self.what, shown, self.absolute, self.peer, self.limit, overall]


def best(results, workload, scenario, factor, *names):
    """The named peer, else the next one that was run: a stand-in is shown by its name."""
    for name in names:
        wall = results.wall(workload, name, scenario)
        if wall is not None:
            return name, wall, factor
    return None


def rows(results):
    def row(goal, what, place, most, names=(), factor=None, limit=None, most_limit=None, memory=None, wanted=None,
            full=results.full):
        peer = best(results, place[0], wanted or place[1], factor, *names)
        floor = limit and results.limit(*limit)
        return Row(results, goal, what, place, most, memory, peer, floor and (floor, most_limit), full)

    out = [
        row("1", "W1 no-op", ("w1", "noop"), 26, ["n2", "ninja"], 0.6, ["w1-stat"], 1.3, 25),
        row("1", "W1 no-op after a touch", ("w1", "noop2"), 26, ["n2", "ninja"], 0.6, ["w1-stat"], 1.3, 25),
        # Only task looks at contents; the others' re-run says nothing about this.
        row("2", "W1 all touched", ("w1", "touch-all"), 200, ["task"], 0.33, ["w1-stat", "w1-hash"], 1.4),
        row("3", "W1 switch back", ("w1", "switch-back"), 500, ["ninja"], 0.25, ["w1-stat", "w1-replace"], 1.5),
        row("4", "W1 packages removed", ("w1", "rm-dist"), 130, ["n2", "ninja"], 1.0, ["w1-stat", "w1-copies"], 1.2),
        row("5", "W1 cold, stored", ("w1", "cold"), 1600, ["ninja"], 1.35,
            ["w1-commands", "w1-hash", "w1-hash-outs"], 1.1),
        row("5", "W1 one change", ("w1", "change-1"), 1700, ["ninja"], 0.8,
            ["w1-commands-again", "w1-hash-outs"], 1.1),
    ]
    if not any(run.workload == "w1" for run in results.runs):
        out = []
    tiny = sorted({int(run.workload[3:]) for run in results.runs if run.workload.startswith("w2-")}, reverse=True)
    most = {100_000: (250, 70), 10_000: (25, None), 1_000: (4, None)}
    for count in tiny:
        wall, memory = most.get(count, (None, None))
        name = "w2-%d" % count
        out.append(row("6", "W2 no-op, %d nodes" % count, (name, "noop"), wall, ["make"], 0.36, [name + "-stat"],
                       1.6, memory, full=True))
    for count in [count for count in tiny if count <= 1000][:1]:
        name = "w2-%d" % count
        out.append(row("7", "W2 cold, %d nodes" % count, (name, "cold"), 800 if count == 1000 else None, ["make"],
                       0.8, [name + "-spawn"], 1.25, full=True))
    return [line.cells() for line in out]


def right(results):
    """Goal 8: per tool, in how many scenarios of W1 the outputs were right, and the steps too."""
    out = []
    for tool in dict.fromkeys(run.tool for run in results.runs if run.workload == "w1"):
        runs = {name: results.of("w1", tool, name) for name in W1}
        content = [name for name in W1 if runs[name] and all(run.outcome == "ok" for run in runs[name])]
        exact = [name for name in W1 if runs[name] and all(run.exact for run in runs[name])]
        wrong = [name for name in W1 if name not in content]
        passed = UNKNOWN if tool != "osgraph" else OK if len(exact) == len(W1) else MISS
        out.append(["8", tool, "%d of %d" % (len(content), len(W1)), "%d of %d" % (len(exact), len(W1)),
                    ", ".join(wrong) or "none", passed])
    return out
