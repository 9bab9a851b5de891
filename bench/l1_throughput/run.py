#!/usr/bin/env python3
"""L1 throughput beside the other engines; README.md says what is measured.

    bench/l1_throughput/run.py [--build build/release] [--rounds 3] [--seconds 1.0]
"""

import argparse
import bisect
import hashlib
import itertools
import json
import pathlib
import random
import statistics
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from support import report  # noqa: E402
from support.peers import OUT, Peers  # noqa: E402

SEQUENCE = 32_768  # requests that a thread walks round and round, as Caffeine's GetPutBenchmark does
# set -> (distinct keys, capacity, modes, threads)
SETS = {
    "zipf": (10_922, 65_536, ("read", "mixed", "write"), (1, 2, 4, 8)),
    "large": (4_000_000, 6_000_000, ("read",), (1, 2)),
    "digest": (50_000, 100_000, ("read", "mixed"), (1, 2)),
}


def scrambled_zipf(keys: int, length: int, rng: random.Random) -> list[int]:
    """Zipf's law with exponent 0.99, ranks scattered over the keys."""
    total = list(itertools.accumulate(1 / rank**0.99 for rank in range(1, keys + 1)))
    scattered = list(range(keys))
    rng.shuffle(scattered)
    return [scattered[bisect.bisect(total, rng.random() * total[-1])] for _ in range(length)]


def write_inputs(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(20)
    sequences = {
        "zipf": scrambled_zipf(SETS["zipf"][0], SEQUENCE, rng),
        "large": [rng.randrange(SETS["large"][0]) for _ in range(1 << 22)],
        "digest": scrambled_zipf(SETS["digest"][0], SEQUENCE, rng),
    }
    paths = {}
    for name, numbers in sequences.items():
        paths[name] = folder / f"{name}.bin"
        paths[name].write_bytes(struct.pack(f"<{len(numbers)}I", *numbers))
    paths["digests"] = folder / "digests.bin"
    count = SETS["digest"][0]
    paths["digests"].write_bytes(b"".join(hashlib.sha256(b"%d" % n).digest() for n in range(count)))
    return paths


def cases():
    for name, (keys, capacity, modes, threads) in SETS.items():
        for mode, count in itertools.product(modes, threads):
            yield name, mode, count, keys, capacity


def measure(peers: Peers, arguments, inputs) -> dict:
    """Rounds are interleaved, so that a slow minute of the machine meets every engine alike."""
    results: dict[tuple, dict[str, list[float]]] = {}
    for _ in range(arguments.rounds):
        for name, mode, threads, keys, capacity in cases():
            case = results.setdefault((name, mode, threads), {})
            for engine in peers.commands:
                done = peers.run(
                    engine, set=name, mode=mode, threads=threads, seconds=arguments.seconds,
                    capacity=capacity, entries=keys, sequence=inputs[name], digests=inputs["digests"],
                )
                if mode == "read" and done["hits"] < 0.999 * done["ops"]:
                    raise SystemExit(f"{engine} misses on {name}: {done['hits']} of {done['ops']} hit")
                case.setdefault(engine, []).append(done["ops_per_s"] / 1e6)
                print(f"\r{name} {mode} {threads} {engine:20}", end="", file=sys.stderr)
    print(file=sys.stderr)
    return {
        case: {engine: statistics.median(runs) for engine, runs in engines.items()}
        for case, engines in results.items()
    }


def tables(results: dict, absent: dict[str, str]) -> str:
    engines = list(next(iter(results.values())))
    ours = engines[0]
    peers = engines[1:]
    header = ["million operations/s", ours, *peers, *(f"/ {peer}" for peer in peers)]
    rows = []
    for (name, mode, threads), values in results.items():
        ratios = [f"{values[ours] / values[peer]:.1f}x" for peer in peers]
        cells = [f"{values[engine]:.1f}" for engine in engines]
        rows.append([f"{name}, {mode}, {threads} threads", *cells, *ratios])
    text = report.markdown(header, rows)
    return text + "".join(f"\nNot run: {name} ({why}).\n" for name, why in absent.items())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0)
    arguments = parser.parse_args()
    peers = Peers(arguments.build.resolve())
    results = measure(peers, arguments, write_inputs(OUT / "l1_throughput"))
    text = tables(results, peers.absent)
    print(text)
    (OUT / "l1_throughput.md").write_text(text)
    groups = {f"{name}, {mode}, {threads} threads": v for (name, mode, threads), v in results.items()}
    report.bar_chart("L1 throughput", "M/s", groups, OUT / "l1_throughput.svg")
    raw = [{"case": list(case), **values} for case, values in results.items()]
    (OUT / "l1_throughput.json").write_text(json.dumps(raw, indent=1))


if __name__ == "__main__":
    main()
