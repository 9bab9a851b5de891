"""LiteLLM's proxy with its cache in memory, from PyPI, in an environment of its own."""

import pathlib
import subprocess
import sys

from contender import Contender

CONFIGURATION = """
model_list:
  - model_name: gpt-4o
    litellm_params: {{model: openai/gpt-4o, api_base: "http://127.0.0.1:{upstream_port}/v1", api_key: bench}}
litellm_settings:
  cache: true
  cache_params: {{type: local, ttl: 3600}}
  telemetry: false
"""


class LiteLlm(Contender):
    name = "litellm"

    def __init__(self, out: pathlib.Path):
        self.folder = out / "litellm"

    def absent(self):
        done = self.folder / "installed"
        if done.exists():
            return done.read_text()
        self.folder.mkdir(parents=True, exist_ok=True)
        venv = [sys.executable, "-m", "venv", str(self.folder / "venv")]
        install = [str(self.folder / "venv/bin/pip"), "install", "--quiet", "litellm[proxy]"]
        for command in (venv, install):
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                return f"does not install: {result.stderr.strip().splitlines()[-1:]}"
        done.write_text("")
        return ""

    def command(self, folder, port, upstream_port):
        pathlib.Path(folder / "config.yaml").write_text(CONFIGURATION.format(upstream_port=upstream_port))
        binary = str(self.folder / "venv/bin/litellm")
        return [binary, "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)]

    def environment(self, folder):
        return {"PYTHONUNBUFFERED": "1", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
