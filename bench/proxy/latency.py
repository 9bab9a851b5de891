"""The two delays that users feel: what a proxy adds to a miss, and how long it keeps a streamed byte.

Each proxy is measured beside a direct call, question by question in turn, and beside nobody else: what
another one does after its answer would be felt by whoever is asked next."""

import dataclasses
import json
import pathlib
import statistics
import subprocess

from contender import NotRun, free_port
from nginx import UnbufferedNginx
from own import Own
from support import report
from workload import request_body, request_bytes

NUMBER = "@" * 20  # where the programs put the question's number
QUESTIONS = 300  # of a round


@dataclasses.dataclass
class Pair:
    """A program that asks the provider and a proxy in turn."""

    binary: pathlib.Path
    options: list[str]
    direct_port: int
    body: str
    folder: pathlib.Path
    core: str

    def run(self, contender) -> dict[str, dict[str, float]]:
        arguments = []
        for name, port, more in (("direct", self.direct_port, {}), ("proxy", contender.port, contender.headers)):
            request = self.folder / f"request-{name}"
            request.write_bytes(request_bytes(port, self.body, more))
            arguments += ["--target", f"{name}={port}={request}"]
        command = ["taskset", "-c", self.core, str(self.binary), *self.options, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            raise NotRun(done.stderr.strip())
        return json.loads(done.stdout)

    def rounds(self, contenders: list, rounds: int) -> dict[str, list]:
        """What every round said, by contender."""
        said: dict[str, list] = {}
        for _ in range(rounds):
            for contender in contenders:
                said.setdefault(contender.name, []).append(self.run(contender))
        return said


def _table(title: str, said: dict[str, list], prefix: str = "") -> str:
    """The medians of the rounds; the differences are those of each round, not of the medians."""
    header = [title, "p50 us", "p99 us", "direct: p50 us", "p99 us", "p50 over direct us", "p99 over direct us"]
    rows = []
    for name, rounds in said.items():
        proxy, direct, over = [], [], []
        for field in (f"{prefix}p50_us", f"{prefix}p99_us"):
            proxy.append(statistics.median(found["proxy"][field] for found in rounds))
            direct.append(statistics.median(found["direct"][field] for found in rounds))
            over.append(statistics.median(found["proxy"][field] - found["direct"][field] for found in rounds))
        rows.append([name, *(f"{value:.0f}" for value in proxy + direct + over)])
    return report.markdown(header, rows)


def miss_delay(build: pathlib.Path, contenders: list, provider, folder: pathlib.Path, rounds: int, core: str) -> str:
    body = request_body(NUMBER, choices=4, stream=False)
    options = ["--questions", str(QUESTIONS)]
    pair = Pair(build / "bin/bench_miss_delay", options, provider.port, body, folder, core)
    return _table("miss, 1 connection", pair.rounds(contenders, rounds))


def stream_delay(build: pathlib.Path, folder: pathlib.Path, rounds: int, proxy_core: str, core: str) -> str:
    """Here the program is the provider, too; nginx is asked not to buffer, and so caches nothing."""
    provider_port = free_port()
    body = request_body(NUMBER, choices=1, stream=True)
    options = ["--provider-port", str(provider_port), "--streams", str(QUESTIONS)]
    pair = Pair(build / "bin/bench_stream_delay", options, provider_port, body, folder, core)
    started = []
    try:
        for contender in (Own(build), UnbufferedNginx()):
            if reason := contender.absent():
                raise NotRun(reason)
            contender.start(folder / f"stream-{contender.name.replace(' ', '_')}", provider_port, proxy_core)
            started.append(contender)
        said = pair.rounds(started, rounds)
    finally:
        for contender in started:
            contender.stop()
    return "\n".join([_table("first streamed byte", said, "first_"), _table("later events", said, "later_")])
