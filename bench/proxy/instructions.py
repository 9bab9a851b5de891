#!/usr/bin/env python3
"""User instructions of a hit in memory and of a miss, one connection: they do not move with the machine.

    bench/proxy/instructions.py [--build build/release] [--top 20]

`--top`: so many functions, by the instructions in themselves and by those of what they call, too. callgrind
counts; its processor has no instructions for SHA, which makes a hash dearer than it is.
"""

import argparse
import contextlib
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from latency import NUMBER  # noqa: E402
from own import MockProvider, Own  # noqa: E402
from workload import body_of_size, request_body, request_bytes  # noqa: E402

MISSES, WARM_UP = 1000, 200


class CountedOwn(Own):
    """Under callgrind, which counts while it is told to."""

    def command(self, folder, port, upstream_port):
        self.folder = folder
        counter = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/counts"]
        return [*counter, *super().command(folder, port, upstream_port)]

    @contextlib.contextmanager
    def counting(self):
        """Gives a function that returns what was counted while the body ran, and the file with more of it."""
        self._tell("-z")
        self._tell("-i", "on")
        yield self._dump
        self._tell("-i", "off")

    def _dump(self) -> tuple[int, pathlib.Path]:
        self._tell("-d")
        newest = max(self.folder.glob("counts.*"), key=lambda path: int(path.suffix[1:]))
        return int(re.search(r"^totals: (\d+)", newest.read_text(), re.MULTILINE)[1]), newest

    def _tell(self, *what: str):
        command = ["callgrind_control", *what, str(self.process.pid)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Client:
    """Asks over one connection."""

    def __init__(self, build: pathlib.Path, folder: pathlib.Path, proxy: CountedOwn, provider: MockProvider):
        self.bin, self.folder, self.proxy, self.provider = build / "bin", folder, proxy, provider

    def hits(self, seconds: float) -> int:
        body = body_of_size(self.provider.port, 2048, choices=4, stream=False)
        answer = self._write("answer", self.proxy.check_hit(body, self.provider))
        request = self._write("request", request_bytes(self.proxy.port, body, {}))
        return self._run(
            "bench_http_load", "--port", self.proxy.port, "--request", request, "--expect", answer,
            "--connections", 1, "--seconds", seconds,
        )["requests"]  # fmt: skip

    def misses(self, count: int) -> int:
        body = request_body(NUMBER, choices=4, stream=False)
        request = self._write("request", request_bytes(self.proxy.port, body, {}))
        self._run("bench_miss_delay", "--target", f"proxy={self.proxy.port}={request}", "--questions", count)
        return count + 50  # with those that it asks before it measures

    def _write(self, name: str, content: bytes) -> pathlib.Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def _run(self, program: str, *arguments) -> dict:
        command = [str(self.bin / program), *map(str, arguments)]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def functions(counts: pathlib.Path, count: int, inclusive: bool) -> list[str]:
    """The first ones that callgrind's own report names."""
    command = ["callgrind_annotate", f"--inclusive={'yes' if inclusive else 'no'}", "--threshold=100", str(counts)]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    lines = [line for line in text.splitlines() if re.match(r"\s*[\d,]+ \(", line) and "PROGRAM TOTALS" not in line]
    return [re.sub(r" \[[^\[]*\]$", "", line).replace("???:", "") for line in lines[:count]]


def report(what: str, proxy: CountedOwn, ask, top: int):
    with proxy.counting() as counted:
        asked = ask()
        total, counts = counted()
    print(f"{what}: {total / asked:,.0f} instructions, the mean of {asked:,}")
    for inclusive in (False, True) if top else ():
        print(f"\n{'with what they call' if inclusive else 'in themselves'}:")
        print("\n".join(functions(counts, top, inclusive)) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--top", type=int, default=0)
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        raise SystemExit("valgrind is not installed: scripts/bootstrap valgrind")
    build = arguments.build.resolve()
    with tempfile.TemporaryDirectory(prefix="bench-proxy-") as name:
        folder = pathlib.Path(name)
        provider, proxy = MockProvider(build), CountedOwn(build)
        provider.start(folder / "provider", 0, "0")
        try:
            proxy.start(folder / "proxy", provider.port, "0")
            client = Client(build, folder, proxy, provider)
            client.hits(0.5)
            client.misses(WARM_UP)
            report("hit", proxy, lambda: client.hits(3), arguments.top)
            report("miss", proxy, lambda: client.misses(MISSES), arguments.top)
        finally:
            proxy.stop()
            provider.stop()


if __name__ == "__main__":
    main()
