#!/usr/bin/env python3
"""Measures osgraph's Docker nodes, and beside each what the bare engine takes for the same.

    benches/docker.py --quick      small
    benches/docker.py              full size: 3 GB of disk, a few minutes

Needs an engine at a Unix socket, BuildKit in it, and curl. Nothing is pulled: all images begin with
`FROM scratch`. What is made in the engine is removed, its part of the build cache included.
"""
import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys

import data
import measure

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "osgraph-bench-%d" % os.getpid()
LABEL = "org.example.osgraph-bench"
API = "http://engine/v1.40"

NOTHING = """
source-archive "source" { dir "app" }
%s
binary-extract "binary" { image "embed"; path "%s"; output "build/base.bin" }
dist-docker { output "dist-docker"; binary "binary" into="bin/app" }
dist-native { output "dist-native"; binary "binary" into="bin/app" }
"""
DOCKER = """
base-image "base" {
    context "builder"; dockerfile "builder/base.Dockerfile"; tag "%(name)s"
    label "%(label)s" "%(name)s"
}
app-embed "embed" {
    base "base"; app "source" into="package"; context "builder"; dockerfile "builder/embed.Dockerfile"
    label "%(label)s" "%(name)s"
}
"""
HOST = """
base-image "base" {
    host { input "builder/base.bin"; run "cp" "builder/base.bin" "base.bin"; output "base.bin" }
}
app-embed "embed" {
    base "base"; app "source" into="package"
    host { run "cp" "-r" "package" "out"; run "cp" "base.bin" "out/base.bin"; output "out" }
}
"""
BUILD = """
base-image "image" { context "context"; dockerfile "Dockerfile"; label "%(label)s" "%(name)s" }
"""
EXTRACT = BUILD + """
binary-extract "binary" { image "image"; path "/big.bin"; output "big.bin" }
"""


class Engine:
    """The bare engine, by its socket."""

    def __init__(self, socket):
        self.curl = ["curl", "--silent", "--show-error", "--fail", "--unix-socket", socket]
        self.cache = {entry["ID"] for entry in self.used()}

    def ask(self, method, path):
        done = subprocess.run(self.curl + ["--request", method, API + path], check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout or b"null")

    def images(self):
        """Those that were made here."""
        return self.ask("GET", "/images/json?filters=" + quoted('{"label":["%s=%s"]}' % (LABEL, NAME)))

    def used(self):
        return self.ask("GET", "/system/df")["BuildCache"] or []

    def line(self, method, path, upload=""):
        """The same as one shell line, for timing."""
        words = " ".join("'%s'" % word for word in self.curl + ["--request", method])
        return "%s%s '%s%s'" % (words, upload, API, path)

    def tidy(self, large):
        """Removes our images, and the large entries that came into the build cache meanwhile."""
        for image in self.images():
            self.ask("DELETE", "/images/%s?force=1" % image["Id"])
        # An entry that others build upon can go only after them.
        for _ in range(3):
            for entry in self.used():
                if entry["ID"] not in self.cache and entry["Size"] >= large and not entry["InUse"]:
                    wanted = '{"id":["%s"]}' % entry["ID"]
                    self.ask("POST", "/build/prune?all=1&filters=" + quoted(wanted))


def quoted(text):
    return "".join(c if c.isalnum() else "%%%02X" % ord(c) for c in text)


class Lab:
    def __init__(self, options):
        self.folder = os.path.abspath(options.dir)
        os.makedirs(self.folder, exist_ok=True)
        self.launcher, self.options, self.missed = measure.Launcher(self.folder), options, []
        self.engine = Engine(options.socket)

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def project(self, name, pipeline):
        folder = self.at(name)
        os.makedirs(folder, exist_ok=True)
        for made in ("cache", "build", "dist-docker", "dist-native", "big.bin"):
            data.remove(os.path.join(folder, made))
        with open(os.path.join(folder, "pipeline.kdl"), "w") as file:
            file.write("pipeline \"%s\"\n" % name + pipeline % {"label": LABEL, "name": NAME})
        return folder

    def osgraph(self, project, *args):
        environment = dict(os.environ, DOCKER_HOST="unix://" + self.options.socket)
        return self.timed([self.options.osgraph, "run", "-q", *args], project, environment)

    def bare(self, line, project):
        # The answer's end says whether a build went well, whatever the status.
        return self.timed(["sh", "-c", line], project)

    def timed(self, argv, project, environment=None):
        os.sync()
        log = project + ".log"
        taken = self.launcher.run(argv, project, log, environment)
        if taken.status:
            with open(log, errors="replace") as file:
                sys.exit("%s: exit %d\n%s" % (" ".join(argv), taken.status, file.read()[-2000:]))
        return taken

    def said(self, what, ours, bare, unit, value, most):
        verdict = self.verdict(what, value <= most)
        print("%-44s %10.1f ms  against %10.1f ms  %8.2f %-6s <= %g  %s" % (
            what, ours * 1e3, bare * 1e3, value, unit, most, verdict), flush=True)

    def said_times(self, what, ours, bare, most):
        ours, bare = wall(ours), wall(bare)
        self.said(what, ours, bare, "times", ours / bare, most)

    def verdict(self, what, good):
        if self.options.quick:
            return "-"                      # goals are of the full size
        if not good:
            self.missed.append(what)
        return "pass" if good else "MISS"

    def memory(self, what, runs):
        most = max(run.rss for run in runs)
        verdict = self.verdict(what + ", memory", most <= 100)
        print("%-44s %10.1f MiB %37s <= 100  %s" % (what + ", peak memory", most, "", verdict), flush=True)


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def wall(runs):
    return statistics.median(run.wall for run in runs)


def nothing_changed(lab):
    """The same pipeline, with and without an engine to ask."""
    o = lab.options
    runs = {}
    projects = {name: lab.project("noop-" + name, NOTHING % (nodes, path))
                for name, nodes, path in (("docker", DOCKER, "/base.bin"), ("host", HOST, "out/base.bin"))}
    for project in projects.values():
        data.tree(os.path.join(project, "app"), o.files, o.files * 500)
        data.blob(os.path.join(project, "builder/base.bin"), 65536)
        put(os.path.join(project, "builder/base.Dockerfile"), "FROM scratch\nCOPY base.bin /\n")
        put(os.path.join(project, "builder/embed.Dockerfile"), "FROM %s\nCOPY package /package\n" % NAME)
        lab.osgraph(project)
        lab.osgraph(project)
    # In turns, so that whatever else the machine does meets both.
    for _ in range(o.repeat * 3):
        for name, project in projects.items():
            runs.setdefault(name, []).append(lab.osgraph(project))
    ours, without = wall(runs["docker"]), wall(runs["host"])
    lab.said("nothing changed, three Docker nodes or none", ours, without, "ms more", (ours - without) * 1e3, 30)
    lab.memory("nothing changed", runs["docker"])


def context(folder, files, size, seed):
    """`size` bytes that no engine has seen: the cache would else have them already."""
    data.remove(folder)
    rng = random.Random("%s %d" % (NAME, seed))
    each = size // files
    for i in range(files):
        path = os.path.join(folder, "d%03d" % (i // 50), "f%05d" % i)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(rng.randbytes(each))


def large_context(lab):
    """Files into an image: osgraph hashes and sends them, the bare way is a tar that is posted."""
    o, ours, bare = lab.options, [], []
    project = lab.project("build", BUILD)
    where = os.path.join(project, "context")
    labels = quoted('{"%s":"%s"}' % (LABEL, NAME))
    for i in range(o.repeat):
        for runs, seed in ((ours, 2 * i), (bare, 2 * i + 1)):
            context(where, o.files // 10, o.bytes, seed)
            put(os.path.join(project, "Dockerfile"), "FROM scratch\nCOPY . /app\n")
            put(os.path.join(where, "Dockerfile"), "FROM scratch\nCOPY . /app\n")
            if runs is ours:
                data.remove(os.path.join(project, "cache"))
                runs.append(lab.osgraph(project))
            else:
                upload = " --header 'Content-Type: application/x-tar' --upload-file -"
                line = lab.engine.line("POST", "/build?version=2&labels=" + labels, upload)
                runs.append(lab.bare("tar -C context -cf - . | %s | tee ../answer | tail -c 200" % line, project))
                with open(lab.at("answer")) as file:
                    if "moby.image.id" not in file.read():
                        sys.exit("the bare build gave no image")
            lab.engine.tidy(o.bytes // 4)
    lab.said_times("a context of %d MB built" % (o.bytes // 1_000_000), ours, bare, 1.1)
    lab.memory("a context built", ours)
    data.remove(where)


def large_binary(lab):
    """One file out of an image: into the store and published, or read to nowhere."""
    o = lab.options
    project = lab.project("extract", EXTRACT)
    data.blob(os.path.join(project, "context/big.bin"), o.binary)
    put(os.path.join(project, "Dockerfile"), "FROM scratch\nCOPY big.bin /\n")
    lab.osgraph(project)
    image = lab.engine.images()[0]["Id"]
    create = lab.engine.curl + ["--request", "POST", "--header", "Content-Type: application/json",
                                "--data", '{"Image":"%s","Cmd":["-"]}' % image, API + "/containers/create"]
    container = json.loads(subprocess.run(create, check=True, stdout=subprocess.PIPE).stdout)["Id"]
    ours, bare = [], []
    try:
        for _ in range(o.repeat):
            line = lab.engine.line("GET", "/containers/%s/archive?path=/big.bin" % container)
            bare.append(lab.bare(line + " >/dev/null", project))
            # The file is there, and its content in no store: as after a build.
            data.remove(os.path.join(project, "big.bin"))
            data.remove(os.path.join(project, "cache"))
            lab.osgraph(project, "image")
            ours.append(lab.osgraph(project))
    finally:
        lab.engine.ask("DELETE", "/containers/%s?force=1" % container)
    if os.path.getsize(os.path.join(project, "big.bin")) != o.binary:
        sys.exit("the extracted file is not whole")
    lab.said_times("a binary of %d MB taken out" % (o.binary // 1_000_000), ours, bare, 1.3)
    lab.memory("a binary taken out", ours)
    for name in ("big.bin", "cache", "context/big.bin"):
        data.remove(os.path.join(project, name))


PLAYS = {"noop": nothing_changed, "build": large_context, "extract": large_binary}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="500 files, 8 MB, a binary of 8 MB")
    parser.add_argument("--only", help="parts: " + ",".join(PLAYS))
    built = os.path.join(os.path.dirname(HERE), "target/release/osgraph")
    parser.add_argument("--osgraph", default=built, metavar="PATH")
    parser.add_argument("--socket", default="/var/run/docker.sock", metavar="PATH",
                        help="the engine's (%(default)s)")
    parser.add_argument("--dir", default="/var/tmp/osgraph-bench/docker", help="where to work (%(default)s)")
    parser.add_argument("--repeat", type=int, help="runs of each kind; the median counts")
    options = parser.parse_args()
    sizes = (500, 8_000_000, 8_000_000, 2) if options.quick else (20_000, 400_000_000, 340_000_000, 3)
    options.files, options.bytes, options.binary = sizes[:3]
    options.repeat = options.repeat or sizes[3]
    options.osgraph = os.path.abspath(options.osgraph)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # so that `finally` cleans up
    lab = Lab(options)
    try:
        for name in options.only.split(",") if options.only else PLAYS:
            PLAYS[name](lab)
    finally:
        lab.engine.tidy(options.bytes // 4)
    for what in lab.missed:
        print("missed: " + what)


if __name__ == "__main__":
    main()
