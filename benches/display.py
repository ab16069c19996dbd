#!/usr/bin/env python3
"""Measures what showing a run costs: the same runs on a terminal, into a file, and not shown at all.

    benches/display.py --quick     200 small nodes, a node of one second
    benches/display.py             1,000 small nodes, a node of ten seconds that prints as it goes

`cargo build --release` first; `--osgraph PATH` names another build.
"""
import argparse
import fcntl
import os
import pty
import resource
import shutil
import statistics
import struct
import subprocess
import tempfile
import termios
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WAYS = ("quiet", "plain", "live 80", "live 200")


def small(nodes):
    body = "".join('command "n%d" { run "cp" "in" "o%d"; input "in"; output "o%d"; }\n' % (i, i, i)
                   for i in range(nodes))
    return 'pipeline "small"\n' + body


def long(seconds):
    script = "i=0; while test $i -lt %d; do echo line $i of many; i=$((i+1)); sleep 0.01; done; cp in o" % (
        seconds * 90)
    return 'pipeline "long"\ncommand "long" { input "in"; run "sh" "-c" "%s"; output "o"; }\n' % script


def drain(master):
    try:
        while os.read(master, 65536):
            pass
    except OSError:
        pass


def run(osgraph, folder, way):
    """Wall and processor seconds of osgraph and its recipes."""
    for name in os.listdir(folder):
        if name not in ("pipeline.kdl", "in"):
            path = os.path.join(folder, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "NO_COLOR")}
    environment["TERM"] = "xterm-256color"
    argv = [osgraph, "-C", folder, "run"]
    master = slave = None
    if way.startswith("live"):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, int(way.split()[1]), 0, 0))
        argv += ["--log-style", "live"]
        reader = threading.Thread(target=drain, args=(master,), daemon=True)
        reader.start()
    elif way == "quiet":
        argv.append("-q")
    else:
        argv += ["--log-style", "plain"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    with open(os.path.join(folder, "..", "log"), "wb") as log:
        subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, stdout=slave or log,
                       stderr=slave or log, check=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if slave is not None:
        os.close(slave)
        reader.join()
        os.close(master)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(osgraph, title, pipeline, times):
    with tempfile.TemporaryDirectory(dir="/var/tmp") as top:
        folder = os.path.join(top, "project")
        os.mkdir(folder)
        with open(os.path.join(folder, "pipeline.kdl"), "w") as file:
            file.write(pipeline)
        with open(os.path.join(folder, "in"), "w") as file:
            file.write("in\n")
        taken = {way: [] for way in WAYS}
        for _ in range(times):
            # One after the other, so that whatever else the machine does falls on all of them.
            for way in WAYS:
                taken[way].append(run(osgraph, folder, way))
    print(title)
    quiet = [statistics.median(column) for column in zip(*taken["quiet"])]
    for way in WAYS:
        wall, work = (statistics.median(column) for column in zip(*taken[way]))
        print("  %-9s wall %7.3f s  %5.3f   processor %7.3f s  %5.3f" % (
            way, wall, wall / quiet[0], work, work / quiet[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--osgraph", default=os.path.join(HERE, "..", "target", "release", "osgraph"))
    options = parser.parse_args()
    osgraph = os.path.abspath(options.osgraph)
    nodes, seconds, times = (200, 1, 3) if options.quick else (1_000, 10, 5)
    print("medians of %d runs, and as many times what it takes unshown" % times)
    measure(osgraph, "%d small nodes" % nodes, small(nodes), times)
    measure(osgraph, "one node of %d s that prints 90 lines a second" % seconds, long(seconds), times)


if __name__ == "__main__":
    main()
