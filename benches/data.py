"""Deterministic input data: an application tree, large files, many tiny files.

Made once for each set of parameters and kept; every scenario puts back what it changes.
"""
import os
import random
import shutil

WORDS = ("return array string public function private static namespace class extends use new if "
         "else foreach while throw self null true false int bool void match fn Table Entity Query "
         "Controller Component View Helper Event Request Response Collection Text Validation").split()


def text(rng, size):
    lines = []
    while size > 0:
        words = " ".join(rng.choices(WORDS, k=rng.randrange(3, 11)))
        line = "%s%s;\n" % ("    " * rng.randrange(4), words)
        lines.append(line)
        size -= len(line)
    return "".join(lines).encode()


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def once(path, stamp, make):
    """Runs `make` unless `path` was already made with the same `stamp`."""
    mark = path + ".made"
    if os.path.lexists(path) and os.path.exists(mark) and open(mark).read() == stamp:
        return
    remove(mark)
    remove(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    make()
    with open(mark, "w") as file:
        file.write(stamp)


def tree(root, files, size):
    """`files` files of together `size` bytes, five a folder, shaped like an application with its
    dependencies: log-normal sizes, mostly text, every twelfth file incompressible."""

    def make():
        rng = random.Random(1)
        pools = [text(rng, 1 << 20), rng.randbytes(1 << 20)]
        weights = [rng.lognormvariate(0, 1.3) for _ in range(files)]
        least = min(64, size // files)
        scale = (size - least * files) / sum(weights)
        made = 0
        for i, weight in enumerate(weights):
            group = i // 5
            top = "src" if group % 8 == 0 else "vendor/v%02d" % (group % 40)
            folder = os.path.join(root, top, "p%02d" % (group // 40 % 25), "n%04d" % group)
            os.makedirs(folder, exist_ok=True)
            wanted = least + int(weight * scale) if i < files - 1 else max(least, size - made)
            pool = pools[i % 12 == 5]
            body = bytearray(b"<?php // file %06d\n" % i)
            while len(body) < wanted:
                at = rng.randrange(len(pool))
                body += pool[at:at + wanted - len(body)]
            with open(os.path.join(folder, "f%05d.php" % i), "wb") as file:
                file.write(body[:wanted])
            made += wanted

    once(root, "tree 2 %d %d" % (files, size), make)


def blob(path, size):
    """`size` bytes that compress about as well as an executable."""

    def make():
        rng = random.Random(2)
        pools = [text(rng, 4 << 20), rng.randbytes(4 << 20)]
        with open(path, "wb") as file:
            left = size
            while left > 0:
                pool = pools[rng.random() < 0.4]
                at = rng.randrange(len(pool) // 2)
                part = pool[at:at + min(left, 65536)]
                file.write(part)
                left -= len(part)

    once(path, "blob 1 %d" % size, make)


def tiny(root, count):
    """`count` files of 48 bytes, a thousand a folder."""

    def make():
        for i in range(count):
            path = os.path.join(root, tiny_name(i))
            if i % 1000 == 0:
                os.makedirs(os.path.dirname(path))
            with open(path, "w") as file:
                file.write("node %09d %032x\n" % (i, i * 2654435761))

    once(root, "tiny 1 %d" % count, make)


def tiny_name(i):
    return "d%03d/n%06d" % (i // 1000, i)


def walk(root):
    """All files below `root`, relative to it, in a fixed order; without `.git`."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".git")
        found += [os.path.relpath(os.path.join(folder, name), root) for name in sorted(names)]
    return found
