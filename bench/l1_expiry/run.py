#!/usr/bin/env python3
"""Promptness of expiry: a million entries with a TTL of 3 s, no traffic, a look one second later.

    bench/l1_expiry/run.py [--build build/release]
Engines without expiry are left out. Caffeine has its scheduler, the promptest that it offers. Then
the longest time that our engine held a lock meanwhile, and while it filled and evicted.
"""

import argparse
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import report  # noqa: E402
from support.peers import OUT, Peers  # noqa: E402

ENTRIES = 1_000_000
ENGINES = ("llm_edge_cache", "moka", "caffeine")


def longest_holds(build: pathlib.Path) -> str:
    done = subprocess.run([build / "bin/bench_l1_holds"], check=True, capture_output=True, text=True)
    holds = json.loads(done.stdout)["longest_hold_us"]
    rows = [[phase, f"{microseconds:.0f}"] for phase, microseconds in holds.items()]
    return report.markdown(["a million entries", "longest hold of a lock, us of CPU"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    arguments = parser.parse_args()
    peers = Peers(arguments.build.resolve())
    OUT.mkdir(parents=True, exist_ok=True)
    rows = []
    for engine in ENGINES:
        if engine in peers.absent:
            continue
        done = peers.run(engine, mode="expiry", entries=ENTRIES, capacity=ENTRIES)
        megabytes = [f"{done[field] / 1e6:.1f}" for field in ("bytes_full", "bytes_left")]
        rows.append([engine, f"{done['entries_left']:,}", *megabytes])
    text = report.markdown(["engine", "entries left", "MB full", "MB left"], rows)
    text += "".join(f"\nNot run: {name} ({why}).\n" for name, why in peers.absent.items())
    text += "\n" + longest_holds(arguments.build.resolve())
    print(text)
    (OUT / "l1_expiry.md").write_text(text)


if __name__ == "__main__":
    main()
