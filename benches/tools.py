"""The tools: how each writes a graph down, is started, and where it keeps its state."""
import json
import os
import shutil
from dataclasses import dataclass, field

import data

CHECKOUT = "rm -rf tmp && mkdir tmp && git -C %s archive --prefix=app/ HEAD | tar -x -C tmp && cd tmp && "


@dataclass
class Tool:
    name: str
    write: object                 # (model, project) -> None
    argv: list
    state: list                   # databases and caches: removed before a cold build
    config: list                  # what `write` made
    workloads: tuple = ("w1", "w2", "w3", "git")
    env: dict = field(default_factory=dict)
    program: str = None           # where it was found


def put(project, name, text):
    with open(os.path.join(project, name), "w") as file:
        file.write(text)


def shell(node):
    """The step as one shell line; a tool without git sources checks the commit out itself."""
    if not node.git:
        return node.shell
    log, _, line = node.shell.partition(" && ")
    make, _, tar = line.partition(" && ")
    return " && ".join([log, make, CHECKOUT % node.git + tar.replace("-cf out/", "-cf ../out/"),
                        "cd ..", "rm -rf tmp"])


STAMP = "git -C %s rev-parse HEAD^{tree} > head.new; cmp -s head.new head || cp head.new head"


def inputs(model, node, project):
    files = list(node.files)
    for folder in node.folders:
        files += [folder + "/" + name for name in data.walk(os.path.join(project, folder))]
    return files + ["head"] * bool(node.git) + model.upstream_outs(node)


def write_ninja(model, project):
    lines = ["rule run\n  command = $line\n"]
    for node in model.nodes:
        lines.append("build %s: run %s\n  line = %s\n" % (
            " ".join(node.outs), " ".join(inputs(model, node, project)), shell(node).replace("$", "$$")))
        if node.git:
            lines.append("rule stamp\n  command = %s\n  restat = 1\nbuild always: phony\n"
                         "build head: stamp always\n" % (STAMP % node.git))
    outs = [out for node in model.sinks for out in node.outs]
    put(project, "build.ninja", "".join(lines) + "build all: phony %s\ndefault all\n" % " ".join(outs))


def write_make(model, project):
    outs = [out for node in model.sinks for out in node.outs]
    lines = [".DELETE_ON_ERROR:\n.SUFFIXES:\nMAKEFLAGS += -rR\n.PHONY: all always\nall: %s\n" % " ".join(outs)]
    for node in model.nodes:
        files = node.files + ["$(shell find %s -type f)" % folder for folder in node.folders]
        files += ["head"] * bool(node.git) + model.upstream_outs(node)
        lines.append("%s: %s\n\t%s\n" % (" ".join(node.outs), " ".join(files), shell(node).replace("$", "$$")))
        if node.git:
            lines.append("head: always\n\t@%s\n" % (STAMP % node.git))
    put(project, "Makefile", "".join(lines))


def write_task(model, project):
    lines = ["version: '3'\nsilent: true\nrun: once\nmethod: checksum\ntasks:\n  default:\n    deps: %s\n"
             % json.dumps([node.name for node in model.sinks])]
    for node in model.nodes:
        sources = node.files + [folder + "/**/*" for folder in node.folders] + model.upstream_outs(node)
        lines.append("  %s:\n    deps: %s\n    sources: %s\n    generates: %s\n    cmds: %s\n" % (
            node.name, json.dumps(node.froms), json.dumps(sources), json.dumps(node.outs),
            json.dumps([shell(node)])))
    put(project, "Taskfile.yml", "".join(lines))


def quoted(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def write_osgraph(model, project):
    lines = ["pipeline %s\n" % quoted(model.name)]
    for node in model.nodes:
        place = " isolate=#false"
        if node.git:
            lines.append('source-archive "app" {\n    git %s ref="HEAD"\n}\n' % quoted(node.git))
            place = ""
        lines.append("command %s%s {\n" % (quoted(node.name), place))
        lines += ["    input %s\n" % quoted(path) for path in node.files + node.folders]
        lines += ["    from %s\n" % quoted(name) for name in ["app"] * bool(node.git) + node.froms]
        run = node.run if len(node.run) > 1 else ["sh", "-c", node.run[0]]
        lines.append("    run %s\n" % " ".join(quoted(word) for word in run))
        lines += ["    output %s\n" % quoted(path) for path in node.outs]
        lines.append("}\n")
    put(project, "pipeline.kdl", "".join(lines))


def available(osgraph, wanted):
    """The tools that can be started, and a line for each that cannot."""
    tools = [
        Tool("osgraph", write_osgraph, ["run", "-q"], ["cache"], ["pipeline.kdl"]),
        Tool("n2", write_ninja, [], [".n2_db"], ["build.ninja"]),
        Tool("ninja", write_ninja, ["--quiet"], [".ninja_log", ".ninja_deps"], ["build.ninja"]),
        Tool("make", write_make, ["-s", "-j2"], [], ["Makefile"]),
        Tool("task", write_task, ["--silent", "default"], [".task"], ["Taskfile.yml"], ("w1", "w3")),
    ]
    found, absent = [], []
    for tool in tools:
        if wanted and tool.name not in wanted:
            continue
        tool.program = osgraph if tool.name == "osgraph" else shutil.which(tool.name)
        if tool.program and os.access(tool.program, os.X_OK):
            found.append(tool)
        else:
            why = "no program at %s; `cargo build --release` makes one" % osgraph
            absent.append("%s is left out: %s" % (tool.name, why if tool.name == "osgraph" else "not on PATH"))
    return found, absent
