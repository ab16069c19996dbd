#!/usr/bin/env python3
"""Asks build tools why they would build again, after the same eight changes to one small project.

    benches/peers/explain.py                         the tools that are installed, all changes
    benches/peers/explain.py --only ninja,osgraph    some
    benches/peers/explain.py --write                 puts the answers into docs/EXPLAIN_COMPARED.md

ninja and make are Debian's; go-task, Snakemake and DVC are Python packages (`pip install go-task-bin
snakemake dvc`); BuildKit is asked through `docker build`, as osgraph's Docker node is. Nothing is
pulled: images begin with `FROM scratch`, are called `osgraph-test-explain-…`, and are removed.
"""
import argparse
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PAGE = os.path.join(ROOT, "docs/EXPLAIN_COMPARED.md")
BASE = "osgraph-test-explain-base:1"
# Lines of one answer that are shown.
MOST = 24
DOCKERFILE = "FROM %s\nARG MODE\nCOPY src /src/$MODE\n" % BASE
# In every project's files anew, or the engine would remember them from an earlier one.
COUNTER = itertools.count(os.getpid() * 1000)
# One shell line packs the sources; MODE is an argument, GREETING a variable of the environment.
PACK = "mkdir -p out && (echo {mode} {greeting}; cat src/*) > out/pack.txt"


class Project:
    """A folder with two sources, a Dockerfile and what one tool needs."""

    def __init__(self, folder, tool):
        self.root, self.tool = os.path.join(folder, tool.name), tool
        self.image = "osgraph-test-explain-%s:1" % tool.name.lower()
        self.mode, self.env = "fast", dict(os.environ, GREETING="hello", OSGRAPH_PARAM_GREETING="hello",
                                           DOCKER_BUILDKIT="1", NO_COLOR="1", LC_ALL="C.UTF-8", COLUMNS="100")
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(os.path.join(self.root, "src"))
        self.first = "alpha %d\n" % next(COUNTER)
        self.write("src/a.txt", self.first)
        self.write("src/b.txt", "beta\n")
        self.write("Dockerfile", DOCKERFILE)
        # Old enough that no tool takes the first build for a change of the same second.
        for name in ("src/a.txt", "src/b.txt", "Dockerfile"):
            os.utime(self.path(name), (1_700_000_000, 1_700_000_000))

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as file:
            file.write(text)

    def sources(self):
        return sorted("src/" + name for name in os.listdir(self.path("src")))

    def say(self, argv):
        done = subprocess.run(argv, cwd=self.root, env=self.env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
        return done.returncode, done.stdout

    def must(self, argv):
        status, said = self.say(argv)
        if status:
            raise RuntimeError("%s ended with %d: %s" % (" ".join(argv), status, said[-600:]))
        return said


def docker():
    """A client that speaks to BuildKit without the buildx plugin, else the one on PATH."""
    for program in ("/usr/bin/docker", "docker"):
        if shutil.which(program):
            return program
    return None


def base(letter):
    """Makes the image that Dockerfiles begin with; another letter, another image."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as context:
        for name, text in (("Dockerfile", "FROM scratch\nCOPY letter /letter\n"), ("letter", letter)):
            with open(os.path.join(context, name), "w") as file:
                file.write(text)
        subprocess.run([docker(), "build", "--quiet", "--tag", BASE, context], check=True, stdout=subprocess.DEVNULL,
                       env=dict(os.environ, DOCKER_BUILDKIT="1"))


def remove(image):
    subprocess.run([docker(), "image", "rm", "--force", image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Ninja:
    name, program, version = "ninja", "ninja", ["ninja", "--version"]
    build, ask = [["ninja"]], [["ninja", "-n", "-d", "explain"]]

    # Its files are written by generators, which list the sources anew.
    def describe(self, project):
        project.write("build.ninja", """rule pack
  command = %s
rule image
  command = %s build -q -t %s --build-arg MODE=$mode --iidfile out/image.id .
build out/pack.txt: pack %s
  mode = %s
build out/image.id: image Dockerfile %s
  mode = %s
""" % (PACK.format(mode="$mode", greeting="$$GREETING"), docker(), project.image, " ".join(project.sources()),
            project.mode, " ".join(project.sources()), project.mode))


class Make:
    name, program, version = "make", "make", ["make", "--version"]
    build, ask = [["make"]], [["make", "-n", "--debug=b"]]

    def describe(self, project):
        project.write("Makefile", """MODE = %s
all: out/pack.txt out/image.id
out/pack.txt: $(wildcard src/*)
\t%s
out/image.id: Dockerfile $(wildcard src/*)
\t%s build -q -t %s --build-arg MODE=$(MODE) --iidfile out/image.id .
""" % (project.mode, PACK.format(mode="$(MODE)", greeting="$$GREETING"), docker(), project.image))


class Task:
    name, program, version = "go-task", "task", ["task", "--version"]
    build, ask = [["task"]], [["task", "--dry", "--verbose"], ["task", "--status", "pack"], ["task", "--status", "image"]]

    def describe(self, project):
        project.write("Taskfile.yml", """version: '3'
vars: {MODE: %s}
tasks:
  default: {deps: [pack, image]}
  pack:
    sources: ['src/*']
    generates: [out/pack.txt]
    cmds: ['%s']
  image:
    sources: [Dockerfile, 'src/*']
    status: ['%s image inspect %s']
    cmds: ['%s build -q -t %s --build-arg MODE={{.MODE}} .']
""" % (project.mode, PACK.format(mode="{{.MODE}}", greeting="$GREETING"), docker(), project.image, docker(), project.image))


class Snakemake:
    name, program, version = "Snakemake", "snakemake", ["snakemake", "--version"]
    build, ask = [["snakemake", "--cores", "1", "--quiet", "all"]], [["snakemake", "--dry-run", "--cores", "1"]]

    def describe(self, project):
        project.write("Snakefile", """import os, glob
rule all:
    input: "out/pack.txt", "out/image.id"
rule pack:
    input: lambda _: sorted(glob.glob("src/*"))
    output: "out/pack.txt"
    params: mode="%s", greeting=os.environ["GREETING"]
    shell: "%s"
rule image:
    input: "Dockerfile", lambda _: sorted(glob.glob("src/*"))
    output: "out/image.id"
    params: mode="%s"
    shell: "%s build -q -t %s --build-arg MODE={params.mode} --iidfile {output} ."
""" % (project.mode, PACK.format(mode="{params.mode}", greeting="{params.greeting}").replace("out/pack.txt", "{output}"),
            project.mode, docker(), project.image))


class Dvc:
    name, program, version = "DVC", "dvc", ["dvc", "--version"]
    build, ask = [["dvc", "init", "--no-scm", "-q", "-f"], ["dvc", "repro", "-q"]], [["dvc", "status"]]

    def describe(self, project):
        project.write("params.yaml", "mode: %s\n" % project.mode)
        project.write("dvc.yaml", """stages:
  pack:
    cmd: %s
    deps: [src]
    params: [mode]
    outs: [out/pack.txt]
  image:
    cmd: mkdir -p out && %s build -q -t %s --build-arg MODE=${mode} --iidfile out/image.id .
    deps: [src, Dockerfile]
    params: [mode]
    outs: [out/image.id]
""" % (PACK.format(mode="${mode}", greeting="$GREETING"), docker(), project.image))


class BuildKit:
    """Has no way to ask before: building is asking."""
    name, program, version = "BuildKit", "docker", None
    only = ("edited", "added", "renamed", "argument", "from", "pruned")

    def describe(self, project):
        command = [docker(), "build", "--progress", "plain", "-t", project.image, "--build-arg", "MODE=" + project.mode, "."]
        self.build = self.ask = [command]


class Osgraph:
    name, program, version = "osgraph", None, None

    def __init__(self, program):
        self.program, self.version = program, [program, "--version"]
        self.build, self.ask = [[program, "run"]], [[program, "explain"]]

    def describe(self, project):
        project.write("pipeline.kdl", """pipeline "compared" {
    param "mode" default="%s"
    param "greeting" default="hello"
}
command "pack" {
    input "src"
    env "GREETING" "${greeting}"
    run "sh" "-c" "%s"
    output "out/pack.txt"
}
base-image "image" {
    context "."
    arg "MODE" "${mode}"
    tag "%s"
}
""" % (project.mode, PACK.format(mode="${mode}", greeting="$GREETING"), project.image))


def edited(project):
    project.write("src/a.txt", project.first + "and more\n")


def added(project):
    project.write("src/c.txt", "gamma\n")


def renamed(project):
    os.rename(project.path("src/b.txt"), project.path("src/d.txt"))


def argument(project):
    project.mode = "best"


def environment(project):
    project.env.update(GREETING="bye", OSGRAPH_PARAM_GREETING="bye")


def moved(_project):
    base("b")


def pruned(project):
    # Under all its names: osgraph gives it one more.
    ask = [docker(), "image", "inspect", "--format", "{{.Id}}", project.image]
    remove(subprocess.run(ask, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


def tampered(project):
    with open(project.path("out/pack.txt"), "a") as file:
        file.write("by hand\n")


CHANGES = {
    "edited": ("a file edited: `src/a.txt`", edited),
    "added": ("a file added: `src/c.txt`", added),
    "renamed": ("a file renamed: `src/b.txt` to `src/d.txt`, its time kept", renamed),
    "argument": ("an argument changed: `mode`, fast to best", argument),
    "environment": ("the environment changed: `GREETING`, hello to bye", environment),
    "from": ("the image behind `FROM` moved to another one, under the same tag", moved),
    "pruned": ("the built image was removed from the engine", pruned),
    "tampered": ("an output edited by hand: `out/pack.txt`", tampered),
}


def excerpt(said, project):
    """What was said without colours, without this machine's paths and times, and not without end."""
    said = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said).replace(project.root + "/", "").replace(project.root, ".")
    said = said.replace(docker(), "docker")
    lines = [line.rstrip() for line in said.replace("\r", "\n").splitlines()]
    # Banners, and what BuildKit says of its own files.
    noise = re.compile(r"^(GNU Make|Built for|Copyright|License|This is free|There is NO|This program built|host:|Building DAG|Reading|Updating makefiles|"
                       r"#\d+ (sha256:|transferring|exporting|writing|naming|DONE|extracting|resolve)|#\d+ \[internal\]|This was a dry-run|Conda|Assuming unrestricted|SNAKEMAKE|=+$|  (Date|Workflow ID|Platform|Host|User|Snakemake version|Python version|Command|Snakefile|Base directory|Run directory|Working directory):|.*Config (file|MD5)|\[\w{3} \w{3} +\d+ [\d: ]+\]$|Job stats|job +count|-----|\w+ +\d+$)")
    lines = [line for line in lines if line and not noise.match(line)]
    more = ["…"] if len(lines) > MOST else []
    return lines[:MOST] + more or ["(nothing)"]


def asked(tool, change, folder):
    base("a")
    project = Project(folder, tool)
    remove(project.image)
    tool.describe(project)
    for argv in tool.build:
        project.must(argv)
    # Twice, so that what is only seen with the second run is not taken for a change.
    project.must(tool.build[-1])
    CHANGES[change][1](project)
    tool.describe(project)
    answers = []
    for argv in tool.ask:
        status, said = project.say(argv)
        command = " ".join(os.path.basename(argv[0]) if at == 0 else word for at, word in enumerate(argv))
        lines = excerpt(said, project)
        if lines == ["(nothing)"] and "--status" in argv:
            lines = ["(nothing; exit code %d)" % status]
        answers.append((command, lines))
    remove(project.image)
    return answers


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="TOOLS", help="of ninja,make,go-task,Snakemake,DVC,BuildKit,osgraph")
    parser.add_argument("--changes", help="of " + ",".join(CHANGES))
    parser.add_argument("--osgraph", default=os.path.join(ROOT, "target/release/osgraph"), metavar="PATH")
    parser.add_argument("--dir", default="/var/tmp/osgraph-bench-explain", help="(%(default)s)")
    parser.add_argument("--write", action="store_true", help="into docs/EXPLAIN_COMPARED.md")
    options = parser.parse_args()
    tools = [Ninja(), Make(), Task(), Snakemake(), Dvc(), BuildKit(), Osgraph(os.path.abspath(options.osgraph))]
    if options.only:
        tools = [tool for tool in tools if tool.name in options.only.split(",")]
    absent = [tool.name for tool in tools if not shutil.which(tool.program)]
    tools = [tool for tool in tools if tool.name not in absent]
    changes = options.changes.split(",") if options.changes else list(CHANGES)
    if not docker():
        sys.exit("docker is not installed")
    out = []
    try:
        versions = []
        for tool in tools:
            argv = tool.version or [docker(), "version", "--format", "engine {{.Server.Version}}, client {{.Client.Version}}"]
            said = subprocess.run(argv, stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]
            versions.append("%s %s" % (tool.name, re.sub(r"^[A-Za-z ]*(?=\d)", "", said)))
        out.append("Asked: %s.\n" % "; ".join(versions))
        for change in changes:
            out.append("### %s\n" % (CHANGES[change][0][0].upper() + CHANGES[change][0][1:]))
            for tool in tools:
                if change not in getattr(tool, "only", CHANGES):
                    continue
                for command, lines in asked(tool, change, options.dir):
                    out.append("```text\n$ %s\n%s\n```\n" % (command, "\n".join(lines)))
    finally:
        remove(BASE)
    text = "\n".join(out)
    if options.write:
        with open(PAGE) as file:
            page = file.read()
        head, rest = page.split("<!-- answers -->\n", 1)
        with open(PAGE, "w") as file:
            file.write(head + "<!-- answers -->\n\n" + text + "\n<!-- end of answers -->\n" + rest.split("<!-- end of answers -->\n", 1)[1])
    else:
        print(text)
    if absent:
        print("not installed: " + ", ".join(absent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
