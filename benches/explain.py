#!/usr/bin/env python3
"""What `explain` costs beside what it explains, in ratios: with nothing changed beside a `run` that does
nothing, with many files changed beside the hashing of these files alone.

    benches/explain.py --quick
    benches/explain.py             20,000 files, 400 MB; some minutes

benches/README.md says how to read it.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

import data
import measure
from run import ROOT, build_limits

PIPELINE = """pipeline "explained"
command "pack" {
    input "app"
    run "sh" "-c" "ls -R app | wc -l > packed"
    output "packed"
}
command "next" { from "pack"; run "cp" "packed" "next"; output "next"; }
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="600 files, 6 MB")
    parser.add_argument("--osgraph", default=os.path.join(ROOT, "target/release/osgraph"), metavar="PATH")
    parser.add_argument("--limits", metavar="PATH", help="a built benches/limits.rs (else cargo builds it)")
    parser.add_argument("--dir", default="/var/tmp/osgraph-bench-explain",
                        help="on the file system to measure, outside any repository (%(default)s)")
    parser.add_argument("--rounds", type=int, default=31, help="of each, in turns (%(default)s)")
    options = parser.parse_args()
    files, size, changed = (600, 6_000_000, 300) if options.quick else (20_000, 400_000_000, 10_000)
    limits = options.limits or build_limits()
    project = os.path.join(os.path.abspath(options.dir), "project")
    app = os.path.join(project, "app")
    data.tree(app, files, size)
    with open(os.path.join(project, "pipeline.kdl"), "w") as file:
        file.write(PIPELINE)
    launcher = measure.Launcher(options.dir)
    log = os.path.join(options.dir, "log")

    def osgraph(*args):
        taken = launcher.run([os.path.abspath(options.osgraph), *args], project, log)
        if taken.status:
            sys.exit("osgraph %s failed: see %s" % (" ".join(args), log))
        return taken.wall * 1e3

    osgraph("run")
    # Stats that are too young are not believed, and nothing is idle yet.
    time.sleep(0.1)
    osgraph("run")
    osgraph("run")
    run, explain = [], []
    for _ in range(options.rounds):
        run.append(osgraph("run"))
        explain.append(osgraph("explain"))
    said("nothing changed", run, "run", explain, 1.05)

    paths = sorted(os.path.join(folder, name) for folder, _, names in os.walk(app) for name in names)[:changed]
    aside = os.path.join(options.dir, "changed")
    shutil.rmtree(aside, ignore_errors=True)
    os.makedirs(aside)
    for at, path in enumerate(paths):
        with open(path, "r+b") as file:
            byte = file.read(1)
            file.seek(0)
            file.write(bytes([byte[0] ^ 1]))
        shutil.copyfile(path, os.path.join(aside, str(at)))
    hashing, explain = [], []
    for _ in range(max(3, options.rounds // 6)):
        done = subprocess.run([limits, "hash", aside], check=True, capture_output=True, text=True)
        hashing.append(float(done.stdout.split()[0]))
        explain.append(osgraph("explain"))
    said("%d files changed" % changed, hashing, "hashing", explain, 1.5)
    data.remove(options.dir)


def said(what, beside, name, explain, goal):
    a, b = statistics.median(beside), statistics.median(explain)
    verdict = "met" if b <= a * goal else "missed"
    print("%-20s %s %.1f ms, explain %.1f ms: %.2f times, goal %.2f: %s" % (what, name, a, b, b / a, goal, verdict))


if __name__ == "__main__":
    main()
