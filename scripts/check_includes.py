#!/usr/bin/env python3
"""Checks that includes follow the arrows of the architecture (docs/architecture.md)."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# A folder may include its own headers, the public ones, and those of the folders named here.
ALLOWED = {
    "include/llm_edge_cache": [],
    "src/base": [],
    "src/net": ["base"],
    "src/core": ["base"],
    "src/tiers/common": ["base", "core"],
    "src/tiers/disk": ["base", "core", "tiers/common"],
    "src/tiers/memory": ["base", "core"],
    "src/tiers/redis": ["base", "core", "net", "tiers/common"],
    "src/api": ["base", "core", "tiers/disk", "tiers/memory", "tiers/redis"],
    "src/http": ["base", "net"],
    "src/proxy": ["base", "core", "http"],
    "src/observability": ["base", "core", "http", "proxy"],
}
# What a folder must not know, whichever way it is spelled.
FORBIDDEN_SYSTEM = {
    "include/llm_edge_cache/engine": r"boost/|openssl/",
    "src/base": r"yaml-cpp|hiredis|rocksdb",
    "src/core": r"boost/|llhttp|hiredis|rocksdb|yaml-cpp|nlohmann",
    "src/http": r"hiredis|rocksdb|yaml-cpp|nlohmann",
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def tracked(folder: str) -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", folder], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return [name for name in listing.splitlines() if name.endswith((".hpp", ".cpp"))]


def violations(folder: str, allowed: list[str]) -> list[str]:
    own = folder.removeprefix("src/")
    prefixes = tuple(f"{name}/" for name in [own, *allowed])
    found = []
    for name in tracked(folder):
        for kind, target in INCLUDE.findall((ROOT / name).read_text()):
            is_ours = (ROOT / "src" / target).exists()
            if is_ours and not target.startswith(prefixes):
                found.append(f"{name}: {folder} must not include {target}")
            if kind == '"' and target.startswith("tests/"):
                found.append(f"{name}: the product must not include {target}")
    return found


def main() -> int:
    found = [line for folder, allowed in ALLOWED.items() for line in violations(folder, allowed)]
    for folder, pattern in FORBIDDEN_SYSTEM.items():
        for name in tracked(folder):
            for _, target in INCLUDE.findall((ROOT / name).read_text()):
                if re.search(pattern, target):
                    found.append(f"{name}: {folder} must not know {target}")
    known = tuple(f"{folder}/" for folder in ALLOWED)
    found += [
        f"{name}: folder is not in ALLOWED" for name in tracked("src") if not name.startswith(known)
    ]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
