#!/usr/bin/env python3
"""Measures osgraph beside other build tools, and both against what the machine can do at best.

    benches/run.py --quick                     a small run of everything, about a minute
    benches/run.py                             full size; needs 8 GB of disk and about 20 minutes
    benches/run.py --only w1 --tools osgraph,ninja

benches/README.md says what is measured and how to read it.
"""
import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass

import data
import goals
import measure
import model as models
import scenarios
import tools

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


@dataclass
class Repeat:
    cold: int
    noop: int
    some: int


class Lab:
    """Where everything is measured: the folder, the launcher, the limits' program, the results."""

    def __init__(self, options):
        self.options = options
        self.folder = os.path.abspath(options.dir)
        os.makedirs(self.folder, exist_ok=True)
        self.launcher = measure.Launcher(self.folder)
        self.limit = options.timeout
        self.runs, self.limits, self.faults = [], {}, []
        self.limits_program = options.limits or build_limits()

    def said(self, run):
        self.runs.append(run)
        taken = run.taken
        print("%-9s %-8s %-12s %9.1f ms  cpu %9.1f ms  %6.1f MiB  %-7s %s" % (
            run.workload, run.tool, run.scenario, taken.wall * 1e3, (taken.user + taken.system) * 1e3, taken.rss,
            run.outcome, steps(run)), flush=True)

    def floor(self, name, *args):
        os.sync()
        done = subprocess.run([self.limits_program, *args], check=True, capture_output=True, text=True)
        median, least, units = done.stdout.split()
        self.limits[name] = float(median)
        print("%-9s %-8s %-20s %9.1f ms  (least %s, %s units)" % ("", "limit", name, float(median), least, units),
              flush=True)

    def compare(self, model, project, check, play):
        """Plays a workload's scenarios with every tool; a tool that fails does not end the others."""
        for tool in self.tools:
            if model.name.split("-")[0] not in tool.workloads:
                continue
            bench = scenarios.Bench(self, model, project, tool, check)
            try:
                bench.begin()
                play(bench, self.options.repeat)
            except scenarios.Failed as fault:
                print(fault, file=sys.stderr)
                self.faults.append(str(fault))
            finally:
                bench.end()


def steps(run):
    if not run.ran:
        return "no step"
    return "%d steps" % len(run.ran) if len(run.ran) > 6 else " ".join(sorted(run.ran))


def build_limits():
    command = ["cargo", "build", "--release", "--locked", "--bench", "limits", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message.get("reason") == "compiler-artifact" and message["target"]["name"] == "limits":
            return message["executable"]
    sys.exit("cargo built no program for benches/limits.rs")


def commands(lab, model, project, again):
    """The bare commands, two at a time where the graph allows it: what no tool can avoid."""
    line = {node.name: node.shell for node in model.nodes}
    first = "(%s) & (%s) & wait" % (line["src"], "true" if again else line["base"])
    last = "(%s) & (%s) & wait" % (line["dist-a"], line["dist-b"])
    script = "\n".join(["set -e", first, line["embed"], line["extract"], last])
    taken = []
    for _ in range(lab.options.repeat.cold):
        if not again:
            for name in ("out", "dist"):
                data.remove(os.path.join(project, name))
        os.sync()
        run = lab.launcher.run(["sh", "-c", script], project, project + "-commands.log")
        if run.status:
            sys.exit("the bare commands failed: see %s-commands.log" % project)
        taken.append(run.wall * 1e3)
    name = "w1-commands-again" if again else "w1-commands"
    lab.limits[name] = statistics.median(taken)
    print("%-9s %-8s %-20s %9.1f ms" % ("", "limit", name, lab.limits[name]), flush=True)


def play_w1(lab):
    o, project = lab.options, os.path.join(lab.folder, "w1")
    data.tree(os.path.join(project, "app"), o.files, o.bytes)
    data.blob(os.path.join(project, "in/base.bin"), 65536)
    model = models.w1(project + "-steps.log", o.binary)
    lab.compare(model, project, lambda b: scenarios.compare(b, models.TAR % "-", o.binary), scenarios.w1)
    commands(lab, model, project, again=False)
    commands(lab, model, project, again=True)
    at = lambda name: os.path.join(project, name)
    lab.floor("w1-stat", "stat", at("app"))
    lab.floor("w1-hash", "hash", at("app"))
    lab.floor("w1-hash-outs", "hash-files", at("out/app.tar"), at("out/embed.bin"))
    spare = os.path.join(lab.folder, "spare")
    large = [at(name) for name in ("out/app.tar", "out/embed.bin", "out/extract.bin", "dist/a/app", "dist/b/app")]
    lab.floor("w1-replace", "replace", spare, *large)
    lab.floor("w1-copies", "copies", spare, *large[-2:])
    for name in (spare, at("out"), at("dist"), project + "-steps.log"):
        data.remove(name)


def play_git(lab):
    o, project = lab.options, os.path.join(lab.folder, "git")
    repository, project = os.path.join(project, "repository"), os.path.join(project, "project")
    data.tree(repository, o.files, o.bytes)
    if not os.path.isdir(os.path.join(repository, ".git")):
        for words in (["init", "-q"], ["config", "user.name", "bench"], ["config", "gc.auto", "0"],
                      ["config", "user.email", "bench@example.invalid"], ["config", "commit.gpgsign", "false"],
                      ["config", "core.autocrlf", "false"], ["add", "-A"], ["commit", "-qm", "tree"], ["tag", "start"]):
            subprocess.run(["git", "-C", repository, *words], check=True)
    subprocess.run(["git", "-C", repository, "reset", "-q", "--hard", "start"], check=True)
    data.blob(os.path.join(project, "in/base.bin"), 65536)
    model = models.w1(project + "-steps.log", o.binary, git="../repository")

    def check(bench):
        reference = os.path.join(lab.folder, "git/reference")
        data.remove(reference)
        os.makedirs(reference)
        subprocess.run(["sh", "-c", "git archive --prefix=app/ HEAD | tar -x -C ../reference"], cwd=repository,
                       check=True)
        outcome = scenarios.compare(bench, models.TAR.replace("tar ", "tar -C ../reference ", 1) % "-", o.binary)
        data.remove(reference)
        return outcome

    lab.compare(model, project, check, scenarios.git(repository))


def play_w2(lab):
    for count in lab.options.nodes:
        name = "w2-%d" % count
        project = os.path.join(lab.folder, name)
        data.tiny(os.path.join(project, "in"), count)
        lab.compare(models.w2(count), project, scenarios.check_w2, scenarios.w2)
        at = lambda folder: os.path.join(project, folder)
        if count <= 1000:
            lab.floor(name + "-spawn", "spawn-copies", at("in"), at("out"))
        subprocess.run(["cp", "-r", at("in"), at("out")], check=True)
        lab.floor(name + "-stat", "stat", at("in"), at("out"))
        data.remove(at("out"))


def play_w3(lab):
    project = os.path.join(lab.folder, "w3")
    data.blob(os.path.join(project, "in/big.bin"), lab.options.binary)
    lab.compare(models.w3(project + "-steps.log"), project, scenarios.check_w3, scenarios.w3)


PLAYS = {"w1": play_w1, "git": play_git, "w2": play_w2, "w3": play_w3}


def table(head, lines):
    if not lines:
        return
    widths = [max(len(str(line[i])) for line in [head] + lines) for i in range(len(head))]
    for line in [head, ["-" * width for width in widths]] + lines:
        print("| " + " | ".join(str(cell).ljust(width) for cell, width in zip(line, widths)) + " |")
    print()


def summary(results):
    for workload in dict.fromkeys(run.workload for run in results.runs):
        print("\n%s, median milliseconds [steps run]\n" % workload)
        names = list(dict.fromkeys(run.scenario for run in results.runs if run.workload == workload))
        lines = []
        for tool in dict.fromkeys(run.tool for run in results.runs if run.workload == workload):
            line = [tool]
            for name in names:
                runs = results.of(workload, tool, name)
                wrong = sorted({run.outcome for run in runs} - {"ok"})
                wall = statistics.median(run.taken.wall for run in runs) * 1e3 if runs else 0
                ran = max((len(run.ran) for run in runs), default=0)
                line.append(" ".join(["%.1f [%d]" % (wall, ran)] + wrong) if runs else "-")
            memory = results.rss(workload, tool, "noop")
            lines.append(line + [goals.number(memory, "MiB")])
        table(["tool"] + names + ["peak, noop"], lines)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="300 files, 6 MB, a binary of 4 MB, 100 nodes")
    parser.add_argument("--files", type=int, help="files of W1's tree (20000)")
    parser.add_argument("--bytes", type=int, help="bytes of W1's tree (400000000)")
    parser.add_argument("--binary", type=int, help="bytes of W1's and W3's binary (340000000)")
    parser.add_argument("--nodes", help="sizes of W2 (1000,10000,100000)")
    parser.add_argument("--only", help="workloads: " + ",".join(PLAYS))
    parser.add_argument("--tools", help="tools: osgraph,n2,ninja,make,task")
    parser.add_argument("--osgraph", default=os.path.join(ROOT, "target/release/osgraph"), metavar="PATH")
    parser.add_argument("--limits", metavar="PATH", help="a built benches/limits.rs (else cargo builds it)")
    parser.add_argument("--dir", default="/var/tmp/osgraph-bench",
                        help="on the file system to measure, outside any repository (%(default)s)")
    parser.add_argument("--json", metavar="FILE", help="one line for each run")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for one run (%(default)s)")
    options = parser.parse_args()
    small = {"files": 300, "bytes": 6_000_000, "binary": 4_000_000, "nodes": "100"}
    large = dict(goals.FULL, nodes="1000,10000,100000")
    for name, value in (small if options.quick else large).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.nodes = [int(count) for count in options.nodes.split(",")]
    options.repeat = Repeat(2, 3, 2) if options.quick else Repeat(3, 9, 3)
    options.only = options.only.split(",") if options.only else list(PLAYS)
    unknown = [name for name in options.only if name not in PLAYS]
    if unknown:
        parser.error("unknown workload: " + ", ".join(unknown))
    if options.files < 10 or options.bytes < 100 * options.files or min(options.nodes) < 1:
        parser.error("at least 10 files of 100 bytes each, and one node")
    return options


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # so that `finally` cleans up
    lab = Lab(options)
    kind = subprocess.run(["stat", "-f", "-c", "%T", lab.folder], capture_output=True, text=True).stdout.strip()
    print("%s: %s, %d processors" % (lab.folder, kind or "unknown file system", os.cpu_count()))
    if kind == "tmpfs":
        print("a tmpfs is not what projects live on; --dir names another place", file=sys.stderr)
    lab.tools, absent = tools.available(os.path.abspath(options.osgraph), options.tools and options.tools.split(","))
    for line in absent:
        print(line)
    for name in options.only:
        PLAYS[name](lab)
    full = all(getattr(options, name) == value for name, value in goals.FULL.items())
    results = goals.Results(lab.runs, lab.limits, full)
    summary(results)
    print("goals%s\n" % ("" if full else " (ratios only: W1 is not at its full size)"))
    lines = goals.rows(results)
    table(["#", "workload", "osgraph", "absolute", "against a peer", "against the limit", "verdict"], lines)
    table(["#", "tool", "outputs right", "and steps exact", "wrong in", "verdict"], goals.right(results))
    if options.json:
        with open(options.json, "w") as file:
            for run in lab.runs:
                file.write(json.dumps(dict(asdict(run), exact=run.exact)) + "\n")
            file.write(json.dumps({"limits": lab.limits}) + "\n")
    for line in absent + lab.faults:
        print(line)
    return 1 if lab.faults else 0


if __name__ == "__main__":
    sys.exit(main())
