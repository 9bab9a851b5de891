#!/usr/bin/env python3
"""What the two load clients can do: both, in turn, against a server that does nothing but answer.

    bench/proxy/clients.py [--build build/release] [--seconds 2] [--rounds 3]

The client's own CPU per request says how many requests a second it can reach on one core.
"""

import argparse
import pathlib
import resource
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from contender import Contender  # noqa: E402
from support import report  # noqa: E402
from workload import load_by_wrk, load_of_hits, request_body, request_bytes, write_script  # noqa: E402

SERVER_CORE, LOAD_CORE, CONNECTIONS = "0", "1", 64


class BareServer(Contender):
    def __init__(self, build: pathlib.Path, answer_bytes: int):
        self.build, self.answer_bytes, self.name = build, answer_bytes, f"{answer_bytes:,} bytes"

    def command(self, folder, port, upstream_port):
        return [str(self.build / "bin" / "bench_bare_server"), str(port), str(self.answer_bytes)]


def measure(client: str, server: BareServer, folder: pathlib.Path, seconds: int) -> tuple[float, float]:
    """Requests per second, and the client's microseconds of CPU per request."""
    body = request_body(0, choices=4, stream=False)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if client == "wrk":
        script = write_script(folder / "wrk.lua", body, {}, fresh=False)
        run = load_by_wrk(server.port, script, CONNECTIONS, seconds, LOAD_CORE)
    else:
        request = request_bytes(server.port, body, {})
        answer = b"x" * server.answer_bytes
        binary = server.build / "bin" / client
        run = load_of_hits(binary, folder, server.port, request, answer, CONNECTIONS, seconds, LOAD_CORE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.errors or run.differing:
        raise SystemExit(f"{client}: {run.errors} errors, {run.differing} answers differ")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return run.rate, cpu / run.requests * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rows = []
    for answer_bytes in (2_048, 40_960):
        server = BareServer(arguments.build.resolve(), answer_bytes)
        with tempfile.TemporaryDirectory(prefix="bench-clients-") as name:
            folder = pathlib.Path(name)
            server.start(folder / "server", 0, SERVER_CORE)
            try:
                runs = {"bench_http_load": [], "wrk": []}
                for _ in range(arguments.rounds):
                    for client, results in runs.items():
                        results.append(measure(client, server, folder, arguments.seconds))
            finally:
                server.stop()
        for client, results in runs.items():
            rate, cpu_us = (statistics.median(values) for values in zip(*results))
            rows.append([f"{client}, {server.name}", f"{rate:,.0f}", f"{cpu_us:.2f}", f"{1e6 / cpu_us:,.0f}"])
    header = ["64 connections", "requests/s", "client's CPU us/request", "requests/s of a whole core"]
    print(report.markdown(header, rows))


if __name__ == "__main__":
    main()
