"""The workloads as graphs, apart from any tool's way to write them down."""
from dataclasses import dataclass, field

import data

TAR = ("tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu "
       "--mode=u=rwX,go=rX -cf %s app")
LARGE = ["src", "embed", "extract", "dist-a", "dist-b"]


@dataclass
class Node:
    """One step: reads files, folders and the outputs of `froms`, writes `outs`."""
    name: str
    run: list                                     # a program and its arguments, or one shell line
    outs: list
    files: list = field(default_factory=list)
    folders: list = field(default_factory=list)
    froms: list = field(default_factory=list)
    git: str = None                               # a repository whose HEAD it reads as folder app

    @property
    def shell(self):
        return self.run[0] if len(self.run) == 1 else " ".join(self.run)


class Model:
    def __init__(self, name, nodes):
        self.name, self.nodes = name, nodes
        self.by_name = {node.name: node for node in nodes}
        read = {name for node in nodes for name in node.froms}
        self.sinks = [node for node in nodes if node.name not in read]

    def upstream_outs(self, node):
        return [out for name in node.froms for out in self.by_name[name].outs]

    def outs(self):
        return [out for node in self.nodes for out in node.outs]


def logged(log, name, line):
    """Appends the step's name to a log beside the project: what really ran, whatever a tool says."""
    return ["echo %s >> %s && %s" % (name, log, line)]


def w1(log, binary, git=None):
    """A tree becomes an archive, archive and base a large binary, that goes into two packages."""
    def node(name, line, out, **inputs):
        return Node(name, logged(log, name, "mkdir -p %s && %s" % (out.rpartition("/")[0], line)), [out],
                    **inputs)

    source = {"git": git} if git else {"folders": ["app"]}
    return Model("git" if git else "w1", [
        node("src", TAR % "out/app.tar", "out/app.tar", **source),
        node("base", "cp in/base.bin out/base.bin", "out/base.bin", files=["in/base.bin"]),
        node("embed", "cat out/base.bin out/app.tar | head -c %d > out/embed.bin" % binary, "out/embed.bin",
             froms=["src", "base"]),
        node("extract", "cp out/embed.bin out/extract.bin", "out/extract.bin", froms=["embed"]),
        node("dist-a", "cp out/extract.bin dist/a/app", "dist/a/app", froms=["extract"]),
        node("dist-b", "cp out/extract.bin dist/b/app", "dist/b/app", froms=["extract"]),
    ])


def w2(count):
    """`count` copies of tiny files, each behind two earlier ones: one near, one anywhere."""
    def before(i):
        return sorted({max(0, i - 1 - i * 7919 % 50), (i * 2654435761 >> 7) % i}) if i else []

    return Model("w2-%d" % count, [
        Node("n%06d" % i, ["cp", "in/" + data.tiny_name(i), "out/" + data.tiny_name(i)],
             ["out/" + data.tiny_name(i)], files=["in/" + data.tiny_name(i)],
             froms=["n%06d" % j for j in before(i)])
        for i in range(count)])


def w3(log):
    """One large file, copied, and into two packages."""
    def node(name, line, out, **inputs):
        return Node(name, logged(log, name, "mkdir -p %s && %s" % (out.rpartition("/")[0], line)), [out],
                    **inputs)

    return Model("w3", [
        node("build", "cp in/big.bin out/big.bin", "out/big.bin", files=["in/big.bin"]),
        node("dist-a", "cp out/big.bin dist/a/app", "dist/a/app", froms=["build"]),
        node("dist-b", "cp out/big.bin dist/b/app", "dist/b/app", froms=["build"]),
    ])
