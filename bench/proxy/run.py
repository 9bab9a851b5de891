#!/usr/bin/env python3
"""The proxy beside other caching proxies, in turn, each on one core; README.md says what is measured.

    bench/proxy/run.py [--build build/release] [--seconds 5] [--rounds 3] [--only NAME[,NAME]]
                       [--case TEXT]...
"""

import argparse
import dataclasses
import http.client
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from contender import NotRun  # noqa: E402
from costs import Cost, medians, table  # noqa: E402
from latency import miss_delay, stream_delay  # noqa: E402
from litellm import LiteLlm  # noqa: E402
from nginx import modes  # noqa: E402
from own import MockProvider, Own, PollingOwn  # noqa: E402
from portkey import Portkey  # noqa: E402
from relay import BareRelay  # noqa: E402
from support import report  # noqa: E402
from support.peers import OUT  # noqa: E402
from varnish import Varnish  # noqa: E402
from workload import body_of_size, load_by_wrk, load_of_hits, request_bytes, write_script  # noqa: E402

PROXY_CORE, LOAD_CORE = "0", "1"
MISS_DELAY, STREAM_DELAY = "miss, 1 connection", "streamed bytes"
# Of a contender that ends, hangs or answers nonsense: the others go on.
FAILURES = (NotRun, OSError, http.client.HTTPException, subprocess.SubprocessError)


@dataclasses.dataclass
class Case:
    name: str
    body: str
    connections: int
    fresh: bool = False  # no question is asked twice: all are misses


def cases(provider_port: int) -> list[Case]:
    json_body = body_of_size(provider_port, 2048, choices=4, stream=False)
    stream_body = body_of_size(provider_port, 40_960, choices=3, stream=True)
    hits = [Case(f"2 KB JSON hit, {count} connections", json_body, count) for count in (16, 64, 256)]
    return [
        *hits,
        Case("40 KB SSE hit, 64 connections", stream_body, 64),
        Case("miss, 16 connections", json_body, 16, fresh=True),
    ]


@dataclasses.dataclass
class Bench:
    build: pathlib.Path
    folder: pathlib.Path
    provider: MockProvider
    seconds: int
    client: str  # of hits
    wanted: list[str]  # parts of the names of cases; none: all

    def wants(self, case: str) -> bool:
        return not self.wanted or any(part in case for part in self.wanted)

    def measure(self, contender, case: Case) -> Cost:
        answer = b"" if case.fresh else contender.check_hit(case.body, self.provider)
        calls, cpu_before = self.provider.calls(), contender.cpu_seconds()
        try:
            run = self._load(contender, case, answer)
            cpu = contender.cpu_seconds() - cpu_before
            resident_mb = contender.resident_bytes() / 2**20
        finally:
            contender.settle()
        if run.requests == 0:
            raise NotRun(f"no answer within {self.seconds} s")
        if not case.fresh and self.provider.calls() != calls:
            raise NotRun(f"asked the provider {self.provider.calls() - calls} times for what it had")
        if run.differing and contender.replays_exactly:
            raise NotRun(f"{run.differing} of its hits are not the answer that it stored")
        return Cost(run.rate, cpu / run.requests * 1e6, run.p50_us, run.p99_us, resident_mb, run.errors)

    def _load(self, contender, case: Case, answer: bytes):
        if case.fresh or self.client == "wrk":
            script = write_script(self.folder / "wrk.lua", case.body, contender.headers, case.fresh)
            return load_by_wrk(contender.port, script, case.connections, self.seconds, LOAD_CORE)
        request = request_bytes(contender.port, case.body, contender.headers)
        binary = self.build / "bin" / "bench_http_load"
        return load_of_hits(
            binary, self.folder, contender.port, request, answer, case.connections, self.seconds, LOAD_CORE
        )


def start(contenders, bench: Bench, body: str, running: list, absent: dict[str, str]):
    """Those that run and, if they are caches, cache, go into `running`; why the others do not into `absent`."""
    for contender in contenders:
        try:
            if reason := contender.absent():
                raise NotRun(reason)
            contender.start(bench.folder / contender.name.replace(" ", "_"), bench.provider.port, PROXY_CORE)
            running.append(contender)
            if contender.caches:
                contender.check_hit(body, bench.provider)
        except FAILURES as why:
            if isinstance(contender, Own):
                raise
            absent[contender.name] = str(why)
            if contender in running:
                running.remove(contender)
                contender.stop()
            print(f"not run: {contender.name}: {why}", file=sys.stderr)


def measure_all(bench: Bench, todo: list[Case], running: list, rounds: int, absent: dict[str, str]) -> dict:
    """The costs of every round by case and contender."""
    costs: dict[str, dict[str, list[Cost]]] = {}
    for case, contender in [(case, contender) for _ in range(rounds) for case in todo for contender in running]:
        where = f"{contender.name}, {case.name}"
        if where in absent or not (contender.caches or case.fresh):
            continue
        try:
            cost = bench.measure(contender, case)
        except FAILURES as why:
            if isinstance(contender, Own):
                raise
            absent[where] = str(why)
            continue
        costs.setdefault(case.name, {}).setdefault(contender.name, []).append(cost)
        print(f"{case.name}: {contender.name}: {cost}", file=sys.stderr)
    return costs


def delays(bench: Bench, running: list, rounds: int, absent: dict[str, str]) -> str:
    """The two tables of latency.py; those of streams start proxies of their own when the others have ended."""
    texts = []
    proxies = [contender for contender in running if contender.is_proxy]
    try:
        if bench.wants(MISS_DELAY):
            texts.append(miss_delay(bench.build, proxies, bench.provider, bench.folder, rounds, LOAD_CORE))
    except FAILURES as why:
        absent[MISS_DELAY] = str(why)
    while running:
        running.pop().stop()
    try:
        if bench.wants(STREAM_DELAY):
            texts.append(stream_delay(bench.build, bench.folder, rounds, PROXY_CORE, LOAD_CORE))
    except FAILURES as why:
        absent[STREAM_DELAY] = str(why)
    return "\n".join(texts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--client", choices=["bench_http_load", "wrk"], default="bench_http_load", help="of hits")
    parser.add_argument("--only", default="", help="contenders, by the start of their names")
    parser.add_argument("--case", action="append", default=[], help="cases with this in their names; may be repeated")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    ours = Own(build)
    wanted = tuple(name for name in arguments.only.split(",") if name)
    others = [Varnish(), LiteLlm(OUT / "proxy"), Portkey(OUT / "proxy"), BareRelay(build), MockProvider(build)]
    everyone = [ours, PollingOwn(build), *modes(), *others]
    chosen = [c for c in everyone if c is ours or not wanted or c.name.startswith(wanted)]
    absent: dict[str, str] = {}
    running: list = []
    with tempfile.TemporaryDirectory(prefix="bench-proxy-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        provider = MockProvider(build)
        provider.start(folder / "provider", 0, LOAD_CORE)
        bench = Bench(build, folder, provider, arguments.seconds, arguments.client, arguments.case)
        try:
            every_case = cases(provider.port)
            start(chosen, bench, every_case[0].body, running, absent)
            todo = [case for case in every_case if bench.wants(case.name)]
            costs = measure_all(bench, todo, running, arguments.rounds, absent)
            latencies = delays(bench, running, arguments.rounds, absent)
        finally:
            for contender in [*running, provider]:
                contender.stop()
    if not costs and not latencies:
        parser.error(f"nothing was measured: no case has {' or '.join(arguments.case)} in its name")
    text = f"{table(costs, ours.name)}\n{latencies}"
    versions = dict.fromkeys(version for c in chosen if c.was_started and (version := c.version()))
    text += f"\nVersions: {', '.join(versions)}.\n" if versions else ""
    text += "".join(f"\nNot run: {name} ({why}).\n" for name, why in absent.items())
    print(text)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "proxy.md").write_text(text)
    rates = {case: {n: cost.rate for n, cost in medians(by_name).items()} for case, by_name in costs.items()}
    report.bar_chart("Proxies on one core", "requests/s", rates, OUT / "proxy.svg")


if __name__ == "__main__":
    main()
