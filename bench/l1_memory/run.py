#!/usr/bin/env python3
"""Memory per entry beyond key and value, a million entries of 8-byte keys and values.

C++ and Rust: growth of resident memory. Java: growth of the live heap; its keys exist before.
    bench/l1_memory/run.py [--build build/release]
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import report  # noqa: E402
from support.peers import OUT, Peers  # noqa: E402

ENTRIES = 1_000_000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    arguments = parser.parse_args()
    peers = Peers(arguments.build.resolve())
    OUT.mkdir(parents=True, exist_ok=True)
    results = {e: peers.run(e, mode="memory", entries=ENTRIES, capacity=ENTRIES) for e in peers.commands}
    rows = [
        [engine, f"{done['entries']:,}", f"{done['overhead_bytes']:.1f}"] for engine, done in results.items()
    ]
    text = report.markdown(["engine", "entries", "bytes an entry beyond key and value"], rows)
    text += "".join(f"\nNot run: {name} ({why}).\n" for name, why in peers.absent.items())
    print(text)
    (OUT / "l1_memory.md").write_text(text)
    values = {engine: done["overhead_bytes"] for engine, done in results.items()}
    report.bar_chart("L1 memory beyond key and value", "bytes", {"an entry": values}, OUT / "l1_memory.svg")


if __name__ == "__main__":
    main()
