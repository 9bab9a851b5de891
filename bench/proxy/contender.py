"""A proxy under test: how it is started, found ready, and what it costs."""

import os
import pathlib
import signal
import socket
import subprocess
import time

from workload import post

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Contender:
    """A file of this folder each. `command` returns what to run; it must stay in the foreground."""

    name = ""
    caches = True

    def absent(self) -> str:
        """Why it cannot run here; empty if it can."""
        return ""

    def command(self, folder: pathlib.Path, port: int, upstream_port: int) -> list[str]:
        raise NotImplementedError

    def environment(self, folder: pathlib.Path) -> dict[str, str]:
        return {}

    def start(self, folder: pathlib.Path, upstream_port: int, core: str):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        with open(folder / "log", "w") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", core, *self.command(folder, self.port, upstream_port)],
                stdout=log, stderr=log, start_new_session=True, env=os.environ | self.environment(folder),
            )
        self._wait_until_ready(folder)

    def _wait_until_ready(self, folder: pathlib.Path):
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                post(self.port, "{}")
                return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise SystemExit(f"{self.name} does not answer: see {folder / 'log'}")

    def stop(self):
        if self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _processes(self) -> list[list[str]]:
        """/proc/PID/stat after the name, of every process of its session."""
        found = []
        for folder in pathlib.Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    fields = (folder / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == self.process.pid:
                    found.append(fields)
        return found

    def cpu_seconds(self) -> float:
        return sum(int(f[11]) + int(f[12]) for f in self._processes()) / TICKS_PER_SECOND

    def resident_bytes(self) -> int:
        return sum(int(f[21]) for f in self._processes()) * PAGE_BYTES
