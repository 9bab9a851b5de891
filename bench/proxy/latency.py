"""The two delays that users feel: what a proxy adds to a miss, and how long it keeps a streamed byte.

Both are told beside a direct call in the same run, question by question in turn."""

import json
import pathlib
import subprocess

from contender import NotRun, free_port
from nginx import UnbufferedNginx
from own import Own
from support import report
from workload import request_body, request_bytes

NUMBER = "@" * 20  # where the programs put the question's number


def _run(binary: pathlib.Path, options: list[str], targets: dict, body: str, folder: pathlib.Path, core: str) -> dict:
    """`targets`: by name, a port and more headers."""
    arguments = []
    for number, (name, (port, more_headers)) in enumerate(targets.items()):
        request = folder / f"request-{number}"
        request.write_bytes(request_bytes(port, body, more_headers))
        arguments += ["--target", f"{name}={port}={request}"]
    done = subprocess.run(
        ["taskset", "-c", core, str(binary), *options, *arguments], capture_output=True, text=True, timeout=600
    )
    if done.returncode != 0:
        raise NotRun(done.stderr.strip())
    return json.loads(done.stdout)


def _rows(found: dict, fields: list[str]) -> list[list[str]]:
    """Each field as measured, then over the direct call's."""
    rows = []
    for name, times in found.items():
        row = [name] + [f"{times[field]:.0f}" for field in fields]
        over = [times[field] - found["direct"][field] for field in fields]
        rows.append(row + ["" if name == "direct" else f"{value:.0f}" for value in over])
    return rows


def miss_delay(build: pathlib.Path, contenders: list, provider, folder: pathlib.Path, questions: int, core: str) -> str:
    targets = {"direct": (provider.port, {})} | {c.name: (c.port, c.headers) for c in contenders}
    body = request_body(NUMBER, choices=4, stream=False)
    options = ["--questions", str(questions)]
    found = _run(build / "bin/bench_miss_delay", options, targets, body, folder, core)
    header = ["miss, 1 connection", "p50 us", "p99 us", "p50 over direct us", "p99 over direct us"]
    return report.markdown(header, _rows(found, ["p50_us", "p99_us"]))


def stream_delay(build: pathlib.Path, folder: pathlib.Path, streams: int, proxy_core: str, core: str) -> str:
    """Here the program is the provider, too; nginx is asked not to buffer, and so caches nothing."""
    provider_port = free_port()
    contenders = [Own(build), UnbufferedNginx()]
    started = []
    try:
        for contender in contenders:
            if reason := contender.absent():
                raise NotRun(reason)
            contender.start(folder / f"stream-{contender.name.replace(' ', '_')}", provider_port, proxy_core)
            started.append(contender)
        targets = {"direct": (provider_port, {})} | {c.name: (c.port, {}) for c in started}
        body = request_body(NUMBER, choices=1, stream=True)
        options = ["--provider-port", str(provider_port), "--streams", str(streams)]
        found = _run(build / "bin/bench_stream_delay", options, targets, body, folder, core)
    finally:
        for contender in started:
            contender.stop()
    tables = []
    for which, title in (("first", "first streamed byte"), ("later", "later events")):
        header = [title, "p50 us", "p99 us", "p50 over direct us", "p99 over direct us"]
        tables.append(report.markdown(header, _rows(found, [f"{which}_p50_us", f"{which}_p99_us"])))
    return "\n".join(tables)
