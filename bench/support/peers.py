"""Builds the harnesses of the competitors and runs them; a toolchain that is absent is reported."""

import json
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HARNESSES = ROOT / "bench" / "l1_throughput"
OUT = ROOT / "build" / "bench"


class Peers:
    """Engines by name, each with the command that runs it. `absent` says why one is not run."""

    def __init__(self, build: pathlib.Path):
        self.commands: dict[str, list[str]] = {}
        self.absent: dict[str, str] = {}
        self._cpp(build)
        self._rust()
        self._java()

    def run(self, engine: str, **options) -> dict:
        arguments = [text for key, value in options.items() for text in (f"--{key}", str(value))]
        done = subprocess.run(
            [*self.commands[engine], *arguments], check=True, capture_output=True, text=True, timeout=300
        )
        return json.loads(done.stdout)

    def _cpp(self, build: pathlib.Path):
        binary = build / "bin" / "bench_l1_engines"
        for engine in ("llm_edge_cache", "tbb", "flat_map_mutex"):
            self.commands[engine] = [str(binary), "--engine", engine]

    def _build(self, engines: tuple[str, ...], tool: str, command: list[str], cwd: pathlib.Path) -> bool:
        if not shutil.which(tool):
            reason = f"{tool} is not installed"
        else:
            done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
            reason = "" if done.returncode == 0 else f"{tool} failed: {done.stderr.strip()[-200:]}"
        self.absent.update({engine: reason for engine in engines if reason})
        return not reason

    def _rust(self):
        engines = ("moka", "quick_cache")
        command = ["cargo", "build", "--release", "--quiet", "--target-dir", str(OUT / "rust")]
        if self._build(engines, "cargo", command, HARNESSES / "rust"):
            for engine in engines:
                self.commands[engine] = [str(OUT / "rust/release/l1-competitors"), "--engine", engine]

    def _java(self):
        folder = OUT / "java"
        command = ["mvn", "-q", "package", f"-Dbuild.folder={folder}"]
        if self._build(("caffeine",), "mvn", command, HARNESSES / "java"):
            classes = f"{folder}/classes:{folder}/dependency/*"
            self.commands["caffeine"] = ["java", "-cp", classes, "bench.Main"]
