"""Starting a program and taking its measure."""
import os
import signal
import subprocess
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass
class Taken:
    wall: float                   # seconds
    user: float
    system: float
    rss: float                    # MiB, the largest single process
    status: int                   # exit code, 128 + signal, or -1 for out of time


class Launcher:
    def __init__(self, folder):
        self.program = os.path.join(folder, "launch")
        source = os.path.join(HERE, "launch.c")
        if not os.path.exists(self.program) or os.path.getmtime(self.program) < os.path.getmtime(source):
            subprocess.run(["cc", "-O2", "-Wall", "-o", self.program, source], check=True)

    def run(self, argv, cwd, log, env=None, limit=600):
        read, write = os.pipe()
        with os.fdopen(read) as report, open(log, "ab") as out:
            try:
                child = subprocess.Popen([self.program, str(write)] + argv, cwd=cwd, env=env, pass_fds=[write],
                                         stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                         start_new_session=True)
            finally:
                os.close(write)
            try:
                child.wait(limit)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                return Taken(limit, 0, 0, 0, -1)
            except BaseException:
                # Ctrl-C reaches us only: the child has a session of its own.
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                raise
            wall, user, system, rss, status = map(int, report.readline().split())
            return Taken(wall / 1e9, user / 1e6, system / 1e6, rss / 1024, status)
