"""A program that passes bytes on and looks at none: what any proxy adds to a miss on this machine."""

import pathlib

from contender import Contender


class BareRelay(Contender):
    name = "bare relay"
    caches = False

    def __init__(self, build: pathlib.Path):
        self.build = build

    def command(self, folder, port, upstream_port):
        return [str(self.build / "bin" / "bench_bare_relay"), str(port), str(upstream_port)]
