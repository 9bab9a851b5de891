"""LiteLLM's proxy with its cache in memory, from PyPI, in an environment of its own."""

import pathlib
import subprocess
import sys

from contender import Contender, version_in
from workload import CREDENTIAL

# Without a master key, or with a weak one, it refuses to start; the requests carry this one.
CONFIGURATION = """
model_list:
  - model_name: gpt-4o
    litellm_params: {{model: openai/gpt-4o, api_base: "http://127.0.0.1:{upstream_port}/v1", api_key: bench}}
litellm_settings:
  cache: true
  cache_params: {{type: local, ttl: 3600}}
  telemetry: false
general_settings:
  master_key: {master_key}
"""


class LiteLlm(Contender):
    name = "litellm"
    replays_exactly = False  # it makes a stored stream anew, with the time of the hit in `created`

    def __init__(self, out: pathlib.Path):
        self.folder = out / "litellm"

    def absent(self):
        done = self.folder / "installed"
        if done.exists():
            return ""
        self.folder.mkdir(parents=True, exist_ok=True)
        venv = [sys.executable, "-m", "venv", str(self.folder / "venv")]
        install = [str(self.folder / "venv/bin/pip"), "install", "--quiet", "litellm[proxy]"]
        for command in (venv, install):
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0:
                return f"does not install: {(result.stderr.strip() or 'no reason given').splitlines()[-1]}"
        done.touch()
        return ""

    def version(self):
        script = "import importlib.metadata as m; print(m.version('litellm'))"
        return f"litellm {version_in([str(self.folder / 'venv/bin/python'), '-c', script])}"

    def command(self, folder, port, upstream_port):
        master_key = CREDENTIAL.removeprefix("Bearer ")
        pathlib.Path(folder / "config.yaml").write_text(
            CONFIGURATION.format(upstream_port=upstream_port, master_key=master_key)
        )
        binary = str(self.folder / "venv/bin/litellm")
        return [binary, "--config", str(folder / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)]

    def environment(self, folder):
        return {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
