"""A proxy under test: how it is started, found ready and caching, and what it costs."""

import os
import pathlib
import re
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


def version_in(command: list[str]) -> str:
    """The first number with a point in what `command` prints."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = re.search(r"\d+\.\d+(\.\d+)*", done.stdout)
    return found[0] if found else "of unknown version"


class NotRun(Exception):
    """Why a contender cannot be measured."""


class Contender:
    """A file of this folder each. `command` returns what to run; it must stay in the foreground."""

    name = ""
    caches = True
    is_proxy = True
    was_started = False
    replays_exactly = True  # a hit has the bytes of the last one
    headers: dict[str, str] = {}  # that every request to it has, beside the usual ones

    def absent(self) -> str:
        """Why it cannot run here, after an attempt to install it; empty if it can."""
        return ""

    def version(self) -> str:
        """Name and version, of what is not ours."""
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
        self.was_started = True

    def _wait_until_ready(self, folder: pathlib.Path):
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                self.ask("{}")
                return
            except OSError:
                time.sleep(0.1)
        self.stop()
        lines = (folder / "log").read_text(errors="replace").strip().splitlines() or ["no output"]
        raise NotRun(f"does not start: {lines[-1]}")

    def ask(self, body: str) -> tuple[int, bytes]:
        return post(self.port, body, self.headers)

    def check_hit(self, body: str, provider: "Contender") -> bytes:
        """The answer to `body`, which must now come from the cache."""
        status, stored = self.ask(body)
        calls = provider.calls()
        status_again, answer = self.ask(body)
        if (status, status_again) != (200, 200):
            raise NotRun(f"answers {status}, then {status_again}")
        if provider.calls() != calls:
            raise NotRun("asks the provider again for what it was just told: it does not cache")
        if self.replays_exactly and answer != stored:
            raise NotRun("its hit is not the answer that it stored")
        return answer

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

    def settle(self):
        """Returns when it is done with what the load left behind, which would slow the next one down."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            before = self.cpu_seconds()
            time.sleep(0.3)
            if self.cpu_seconds() - before <= 0.03:
                return

    def resident_bytes(self) -> int:
        return sum(int(f[21]) for f in self._processes()) * PAGE_BYTES
