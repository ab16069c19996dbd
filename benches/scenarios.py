"""What is done to a project before each timed run, and what must come out of it."""
import os
import subprocess
import time
from dataclasses import dataclass, field

import data
import model as models

W1 = ["cold", "noop", "touch-all", "noop2", "change-1", "switch-back", "rm-dist", "rm-all-outs",
      "add-file", "del-file", "same-mtime", "tampered-out"]
GIT = ["cold", "noop", "touch-all", "uncommitted", "commit", "switch-back", "rm-all-outs"]
W2 = ["cold", "noop", "change-1"]
W3 = ["cold", "noop", "touch-all", "rm-dist", "rm-all-outs"]
# Scenarios in which some step has to run; in all others none has.
RUNS = {"cold", "change-1", "add-file", "same-mtime", "commit"}


class Failed(Exception):
    pass


@dataclass
class Run:
    workload: str
    tool: str
    scenario: str
    taken: object
    ran: list                     # names of the steps whose command was executed
    outcome: str                  # ok, stale (wrong content), missing, failed, timeout
    expected: list = field(default_factory=list)

    @property
    def exact(self):
        """Right content, and not one step too many or too few."""
        return self.outcome == "ok" and sorted(self.ran) == sorted(self.expected)


class Bench:
    """One tool at one workload's project."""

    def __init__(self, lab, model, project, tool, check):
        self.lab, self.model, self.project, self.tool, self.check = lab, model, project, tool, check
        self.steps = project + "-steps.log"
        self.log = "%s-%s.log" % (project, tool.name)
        self.runs = []
        data.remove(self.log)

    def path(self, name):
        return os.path.join(self.project, name)

    def remove(self, *names):
        for name in names:
            data.remove(self.path(name))

    def begin(self):
        self.end()
        self.tool.write(self.model, self.project)

    def end(self):
        self.remove("out", "dist", "tmp", "head", "head.new", *self.tool.state, *self.tool.config)

    def clean(self):
        self.remove("out", "dist", "head", *self.tool.state)
        if self.model.name.startswith("w2"):
            # No tool but osgraph makes an output's folder, and `mkdir` would double each command.
            for out in {os.path.dirname(out) for out in self.model.outs()}:
                os.makedirs(self.path(out), exist_ok=True)

    def stats(self):
        """Which outputs were written, for steps that are too small to keep a log."""
        def one(out):
            try:
                stat = os.lstat(self.path(out))
                return stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns
            except FileNotFoundError:
                return None
        return {node.name: one(node.outs[0]) for node in self.model.nodes}

    def once(self, scenario, expected=(), quiet=False):
        tiny = self.model.name.startswith("w2")
        before = self.stats() if tiny else None
        data.remove(self.steps)
        with open(self.log, "a") as log:
            log.write("\n== %s\n" % scenario)
        os.sync()
        taken = self.lab.launcher.run([self.tool.program] + self.tool.argv, self.project, self.log,
                                      dict(os.environ, **self.tool.env), self.lab.limit)
        if tiny:
            after = self.stats()
            ran = [name for name in after if after[name] != before[name]]
        else:
            ran = open(self.steps).read().split() if os.path.exists(self.steps) else []
        if taken.status != 0:
            outcome = "timeout" if taken.status < 0 else "failed"
        elif tiny and scenario == "noop" and not ran:
            outcome = self.runs[-1].outcome        # neither inputs nor outputs moved since
        else:
            outcome = self.check(self)
        run = Run(self.model.name, self.tool.name, scenario, taken, ran, outcome, list(expected))
        if not quiet:
            self.runs.append(run)
            self.lab.said(run)
        if outcome in ("failed", "timeout"):
            raise Failed("%s %s at %s %s: see %s" % (self.tool.name, outcome, self.model.name, scenario, self.log))
        return run

    def times(self, count, scenario, prepare=None, expected=()):
        for i in range(count):
            if prepare:
                prepare(i)
            if self.once(scenario, expected).taken.wall > 30:
                break                             # slow enough to be sure of


def touch(*roots):
    now = time.time()
    for root in roots:
        for name in data.walk(root):
            os.utime(os.path.join(root, name), (now, now))


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def variant(content, i):
    """The same length, another content."""
    return (b"<?php // vary %06d" % i + content[18:])[:len(content)]


def compare(bench, archive, binary):
    """Compares every output with what the commands give on the present inputs, made by hand."""
    outs = bench.model.outs()
    if any(not os.path.exists(bench.path(out)) for out in outs):
        return "missing"
    line = ("%s | cmp -s - out/app.tar && (cat in/base.bin; %s) | head -c %d | cmp -s - out/embed.bin && "
            "cmp -s in/base.bin out/base.bin && for f in out/extract.bin dist/a/app dist/b/app; do "
            "cmp -s out/embed.bin $f || exit 1; done") % (archive, archive, binary)
    done = subprocess.run(["sh", "-c", line], cwd=bench.project, stderr=subprocess.DEVNULL)
    return "ok" if done.returncode == 0 else "stale"


def w1(bench, repeat):
    app = bench.path("app")
    files = data.walk(app)
    victim = os.path.join(app, files[min(3, len(files) - 1)])       # early: its change reaches the binary
    extra = os.path.join(os.path.dirname(victim), "added.php")
    first = open(victim, "rb").read()
    every = [node.name for node in bench.model.nodes]
    data.remove(extra)

    def settle():
        write(victim, first)
        bench.once("settle", quiet=True)

    try:
        bench.times(repeat.cold, "cold", lambda _: bench.clean(), every)
        bench.times(repeat.noop, "noop")
        bench.times(repeat.some, "touch-all", lambda _: touch(app, bench.path("in")))
        bench.times(repeat.noop, "noop2")
        for i in range(repeat.some):
            write(victim, variant(first, i))
            bench.once("change-1", models.LARGE)
            write(victim, first)
            bench.once("switch-back")
        bench.times(repeat.some, "rm-dist", lambda _: bench.remove("dist"))
        bench.times(repeat.some, "rm-all-outs", lambda _: bench.remove("out", "dist"))
        write(extra, b"<?php // added\n" * 50)
        bench.once("add-file", models.LARGE)
        data.remove(extra)
        bench.once("del-file")
        settle()
        stat = os.stat(victim)
        write(victim, variant(first, 999))
        os.utime(victim, ns=(stat.st_atime_ns, stat.st_mtime_ns))   # only ctime tells
        bench.once("same-mtime", models.LARGE)
        settle()
        with open(bench.path("dist/a/app"), "r+b") as file:
            file.seek(1000)
            file.write(b"tampered")
        bench.once("tampered-out")
    finally:
        write(victim, first)
        data.remove(extra)


def git(repository):
    def of(*words):
        return subprocess.run(["git", "-C", repository, *words], check=True, capture_output=True, text=True).stdout

    def scenario(bench, repeat):
        victim = os.path.join(repository, data.walk(repository)[3])
        first, start = open(victim, "rb").read(), of("rev-parse", "HEAD").strip()
        every = [node.name for node in bench.model.nodes]
        try:
            bench.times(repeat.cold, "cold", lambda _: bench.clean(), every)
            bench.times(repeat.noop, "noop")
            bench.times(repeat.some, "touch-all", lambda _: touch(repository))
            write(victim, variant(first, 1))
            bench.times(repeat.some, "uncommitted")
            for i in range(repeat.some):
                write(victim, variant(first, i))
                of("commit", "-qam", "variant %d" % i)
                bench.once("commit", models.LARGE)
                of("reset", "-q", "--hard", start)
                bench.once("switch-back")
            bench.times(repeat.some, "rm-all-outs", lambda _: bench.remove("out", "dist"))
        finally:
            of("reset", "-q", "--hard", start)

    return scenario


def w2(bench, repeat):
    middle = bench.path("in/" + data.tiny_name(len(bench.model.nodes) // 2))
    first = open(middle, "rb").read()
    try:
        few = len(bench.model.nodes) <= 1000
        every = [node.name for node in bench.model.nodes]
        bench.times(repeat.cold if few else 1, "cold", lambda _: bench.clean(), every)
        bench.times(repeat.noop, "noop")
        for i in range(2):
            write(middle, first.replace(b"node", b"nod%d" % i))
            bench.once("change-1")
    finally:
        write(middle, first)


def check_w2(bench):
    for node in bench.model.nodes:
        try:
            with open(bench.path(node.files[0]), "rb") as a, open(bench.path(node.outs[0]), "rb") as b:
                if a.read() != b.read():
                    return "stale"
        except FileNotFoundError:
            return "missing"
    return "ok"


def w3(bench, repeat):
    every = [node.name for node in bench.model.nodes]
    bench.times(repeat.cold, "cold", lambda _: bench.clean(), every)
    bench.times(repeat.noop, "noop")
    bench.times(repeat.some, "touch-all", lambda _: touch(bench.path("in")))
    bench.times(repeat.some, "rm-dist", lambda _: bench.remove("dist"))
    bench.times(repeat.some, "rm-all-outs", lambda _: bench.remove("out", "dist"))


def check_w3(bench):
    for out in bench.model.outs():
        if not os.path.exists(bench.path(out)):
            return "missing"
        if subprocess.run(["cmp", "-s", bench.path("in/big.bin"), bench.path(out)]).returncode:
            return "stale"
    return "ok"
