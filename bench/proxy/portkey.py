"""Portkey's gateway from npm, in a folder of its own, asked to cache what it can ("simple" mode).

Version 1.15.2 as published sets no cache up (x-portkey-cache-status: DISABLED), and so is found not to cache."""

import json
import pathlib
import shutil
import subprocess

from contender import Contender


class Portkey(Contender):
    name = "portkey"

    def __init__(self, out: pathlib.Path):
        self.folder = out / "portkey"

    def absent(self):
        if not (shutil.which("npm") and shutil.which("node")):
            return "node and npm are not installed"
        done = self.folder / "installed"
        if done.exists():
            return ""
        self.folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(self.folder)]
        result = subprocess.run([*install, "@portkey-ai/gateway"], capture_output=True, text=True)
        if result.returncode != 0:
            return f"does not install: {(result.stderr.strip() or 'no reason given').splitlines()[-1]}"
        done.touch()
        return ""

    def version(self):
        package = self.folder / "node_modules/@portkey-ai/gateway/package.json"
        return f"portkey {json.loads(package.read_text())['version']}"

    def command(self, folder, port, upstream_port):
        upstream = {"provider": "openai", "custom_host": f"http://127.0.0.1:{upstream_port}/v1"}
        self.headers = {"x-portkey-config": json.dumps(upstream | {"cache": {"mode": "simple", "max_age": 3600}})}
        server = self.folder / "node_modules/@portkey-ai/gateway/build/start-server.js"
        return ["node", str(server), f"--port={port}", "--headless"]

    def environment(self, folder):
        return {"NODE_ENV": "production"}
