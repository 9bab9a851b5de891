#!/usr/bin/env python3
"""The proxy beside other caching proxies, in turn, each on one core; README.md says what is measured.

    bench/proxy/run.py [--build build/release] [--seconds 5] [--rounds 3] [--only NAME[,NAME]]
"""

import argparse
import dataclasses
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from litellm import LiteLlm  # noqa: E402
from nginx import modes  # noqa: E402
from own import MockProvider, Own  # noqa: E402
from support import report  # noqa: E402
from support.peers import OUT  # noqa: E402
from varnish import Varnish  # noqa: E402
from workload import body_of_size, load, post, write_script  # noqa: E402

PROXY_CORE, LOAD_CORE = "0", "1"


@dataclasses.dataclass
class Case:
    name: str
    script: pathlib.Path
    connections: int
    body: str = ""  # asked once before, so that it is a hit; empty for misses


@dataclasses.dataclass
class Cost:
    rate: float
    cpu_us: float
    p50_us: float
    p99_us: float
    resident_mb: float
    errors: int


def cases(folder: pathlib.Path, provider_port: int) -> list[Case]:
    json_body = body_of_size(provider_port, 2048, choices=4, stream=False)
    stream_body = body_of_size(provider_port, 40_960, choices=3, stream=True)
    json_script = write_script(folder / "json.lua", json_body, fresh=False)
    stream_script = write_script(folder / "stream.lua", stream_body, fresh=False)
    fresh_script = write_script(folder / "fresh.lua", json_body, fresh=True)
    hits = [Case(f"2 KB JSON hit, {count} connections", json_script, count, json_body) for count in (16, 64, 256)]
    return [
        *hits,
        Case("40 KB SSE hit, 64 connections", stream_script, 64, stream_body),
        Case("miss, 16 connections", fresh_script, 16),
    ]


def measure(contender, case: Case, seconds: int) -> Cost:
    if case.body:
        first, second = post(contender.port, case.body), post(contender.port, case.body)
        if first[0] != 200 or first != second:
            raise SystemExit(f"{contender.name} answers {first[0]}, then {second[0]}, or not alike")
    cpu_before = contender.cpu_seconds()
    run = load(contender.port, case.script, case.connections, seconds, LOAD_CORE)
    cpu_us = (contender.cpu_seconds() - cpu_before) / max(run.requests, 1) * 1e6
    return Cost(run.rate, cpu_us, run.p50_us, run.p99_us, contender.resident_bytes() / 2**20, run.errors)


def median(costs: list[Cost]) -> Cost:
    fields = (field.name for field in dataclasses.fields(Cost))
    return Cost(*(statistics.median(getattr(cost, field) for cost in costs) for field in fields))


def table(results: dict[str, dict[str, Cost]], ours: str) -> str:
    header = ["", "requests/s", "CPU us/request", "p50 us", "p99 us", "RSS MB", "CPU, ours is", "rate, ours is"]
    parts = []
    for case, costs in results.items():
        rows = []
        for name, cost in costs.items():
            against = [f"{costs[ours].cpu_us / cost.cpu_us:.2f}", f"{costs[ours].rate / cost.rate:.2f}x"]
            failed = f" ({cost.errors:.0f} errors)" if cost.errors else ""
            rows.append([
                name + failed, f"{cost.rate:,.0f}", f"{cost.cpu_us:.1f}", f"{cost.p50_us:.0f}", f"{cost.p99_us:.0f}",
                f"{cost.resident_mb:.0f}", *against,
            ])  # fmt: skip
        parts.append(f"**{case}**\n\n{report.markdown(header, rows)}")
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="contenders, by the start of their names")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    ours = Own(build)
    wanted = tuple(name for name in arguments.only.split(",") if name)
    everyone = [ours, *modes(), Varnish(), LiteLlm(OUT / "proxy"), MockProvider(build)]
    chosen = [c for c in everyone if c is ours or not wanted or c.name.startswith(wanted)]
    absent = {c.name: reason for c in chosen if (reason := c.absent())}
    running = [c for c in chosen if c.name not in absent]
    with tempfile.TemporaryDirectory(prefix="bench-proxy-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        provider = MockProvider(build)
        provider.start(folder / "provider", 0, LOAD_CORE)
        started = []
        try:
            for contender in running:
                contender.start(folder / contender.name.replace(" ", "_"), provider.port, PROXY_CORE)
                started.append(contender)
            costs: dict[str, dict[str, list[Cost]]] = {}
            todo = cases(folder, provider.port)
            for _ in range(arguments.rounds):
                for case in todo:
                    for contender in running:
                        if contender.caches or not case.body:
                            cost = measure(contender, case, arguments.seconds)
                            costs.setdefault(case.name, {}).setdefault(contender.name, []).append(cost)
                            print(f"{case.name}: {contender.name}: {cost}", file=sys.stderr)
        finally:
            for contender in [*started, provider]:
                contender.stop()
    results = {case: {n: median(c) for n, c in by_name.items()} for case, by_name in costs.items()}
    text = table(results, ours.name)
    text += "".join(f"\nNot run: {name} ({why}).\n" for name, why in absent.items())
    print(text)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "proxy.md").write_text(text)
    rates = {case: {n: cost.rate for n, cost in by_name.items()} for case, by_name in results.items()}
    report.bar_chart("Proxies on one core", "requests/s", rates, OUT / "proxy.svg")


if __name__ == "__main__":
    main()
