"""llm-edge-cache as `serve` sets it up, on one I/O thread."""

import json
import pathlib
import urllib.request

from contender import Contender, free_port


class Own(Contender):
    name = "llm_edge_cache"

    def __init__(self, build: pathlib.Path):
        self.binary = build / "bin" / "llm-edge-cache"

    def command(self, folder, port, upstream_port):
        return [
            str(self.binary), "serve", "--threads", "1", "--listen", f"127.0.0.1:{port}",
            "--admin-listen", f"127.0.0.1:{free_port()}", "--upstream", f"http://127.0.0.1:{upstream_port}",
        ]  # fmt: skip

    def environment(self, folder):
        return {"XDG_STATE_HOME": str(folder)}  # where the secret of the scopes is kept


class PollingOwn(Own):
    """The same, whose thread polls before it sleeps: for the delay of a miss."""

    name = "llm_edge_cache --busy-poll-us 300"

    def command(self, folder, port, upstream_port):
        return [*super().command(folder, port, upstream_port), "--busy-poll-us", "300"]


class MockProvider(Own):
    """The provider itself: the floor of a miss."""

    name = "direct"
    caches = False
    is_proxy = False

    def command(self, folder, port, upstream_port):
        return [str(self.binary), "mock-provider", "--listen", f"127.0.0.1:{port}"]

    def calls(self) -> int:
        """Requests that reached it."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/mock/requests") as answer:
            return json.load(answer)["requests"]
