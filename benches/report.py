#!/usr/bin/env python3
"""Measures the page of a large run, and the pictures of a large graph.

    benches/report.py --quick                  300 nodes, a few seconds
    benches/report.py                          10,000 nodes, about a minute; needs Chromium

The page is opened in a headless Chromium beside a page of the same bytes without its script: what
is more than that is this page's own. benches/README.md says what the figures should be.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

import data
from chromium import Browser

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# From the start of the navigation until what the script made is on the screen.
OPENED = """new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"""

# From a key in the search until what it changed is on the screen.
SEARCH = """new Promise(done => { const field = document.getElementById("search"), begun = performance.now();
    field.value = "n%05d"; field.dispatchEvent(new Event("input"));
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun))) })"""


def pipeline(count):
    """Nodes in layers of a hundred, each behind two of the layer before."""
    lines = ['pipeline "large" {}']
    for at in range(count):
        layer, place = divmod(at, 100)
        ups = [] if layer == 0 else [(layer - 1) * 100 + place, (layer - 1) * 100 + (place * 7 + 1) % 100]
        froms = "".join(' ; from "n%05d" into="f%d"' % (up, up) for up in dict.fromkeys(ups))
        lines.append('command "n%05d" { input "in/%s"; run "cp" "in/%s" "out/n%05d"; output "out/n%05d"%s }' % (
            at, data.tiny_name(at), data.tiny_name(at), at, at, froms))
    return "\n".join(lines) + "\n"


def timed(argv, cwd, out=None):
    begun = time.perf_counter()
    done = subprocess.run(argv, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    took = time.perf_counter() - begun
    if done.returncode:
        sys.exit("%s ended with %d: %s" % (" ".join(argv), done.returncode, done.stderr.decode()[-800:]))
    if out:
        with open(out, "wb") as file:
            file.write(done.stdout)
    return took, len(done.stdout)


def opened(browser, page, repeat):
    times = []
    for _ in range(repeat):
        browser.open(page)
        times.append(browser.value(OPENED))
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="300 nodes")
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--osgraph", default=os.path.join(ROOT, "target/release/osgraph"), metavar="PATH")
    parser.add_argument("--dir", default="/var/tmp/osgraph-bench-report", help="(%(default)s)")
    options = parser.parse_args()
    count = 300 if options.quick else options.nodes
    binary, project = os.path.abspath(options.osgraph), os.path.join(options.dir, "project-%d" % count)
    shutil.rmtree(project, ignore_errors=True)
    os.makedirs(project)
    data.tiny(os.path.join(project, "in"), count)
    with open(os.path.join(project, "pipeline.kdl"), "w") as file:
        file.write(pipeline(count))

    def osgraph(*args, out=None):
        return timed([binary, *args], project, out)

    print("%d nodes" % count)
    print("cold run                     %8.0f ms" % (osgraph("run")[0] * 1e3))
    wrong = []
    for form in ("text", "dot", "mermaid", "svg"):
        took, size = osgraph("graph", "--as", form)
        print("graph --as %-7s           %8.0f ms  %8.2f MB" % (form, took * 1e3, size / 1e6))
    page, bare = os.path.join(options.dir, "page.html"), os.path.join(options.dir, "bare.html")
    took, size = osgraph("report", out=page)
    print("report                       %8.0f ms  %8.2f MB" % (took * 1e3, size / 1e6))
    if size >= 10e6 * max(1, count / 10_000):
        wrong.append("the page is larger than 10 MB")
    with open(page) as file:
        text = file.read()
    # The policy goes, too: it names the script. What stays are the same bytes to read.
    bare_text = re.sub(r"<script>.*?</script>", lambda match: "<!--%s-->" % ("." * (len(match[0]) - 7)), text, flags=re.S)
    with open(bare, "w") as file:
        file.write(bare_text)
    with Browser() as browser:
        browser.window(1280, 900)
        opened(browser, page, 1)
        ours, empty = opened(browser, page, 5), opened(browser, bare, 5)
        browser.open(page)
        search = statistics.median(browser.value(SEARCH % (at % count)) for at in (7, 42, 4242, 123, 99))
        shown = browser.value("document.querySelectorAll('#rows .row').length")
        drawn = browser.value("document.querySelectorAll('*').length")
    print("opened                       %8.0f ms  %8.1f × the same bytes without the script (%.0f ms)" % (ours, ours / empty, empty))
    print("a search                     %8.0f ms  %8d rows, %d elements in all" % (search, shown, drawn))
    if ours >= 2000:
        wrong.append("the page takes two seconds or more to open")
    if search >= 100:
        wrong.append("a search takes 100 ms or more")
    if not shown:
        wrong.append("the search finds nothing")
    for one in wrong:
        print(one)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
