"""The real programs under test, started on free ports and stopped again."""

import json
import os
import subprocess
import unittest
import urllib.request

BINARY = os.environ["LEC_TEST_BINARY"]
# The proxy's own variables would be errors or change what is tested.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith("LLM_EDGE_CACHE_")
}


class Program:
    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [BINARY, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
        )
        for line in self.process.stdout:
            if line.startswith('{"event":"ready"'):
                self.ready = json.loads(line)
                break
        else:
            raise RuntimeError(f"exit code {self.process.wait()} before ready")
        self.url = f"http://{self.ready['listen']}"

    def stop(self):
        self.process.terminate()
        self.process.communicate()


class ProxyTest(unittest.TestCase):
    """A mock provider and a proxy before it, for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.mock = Program("mock-provider", "--listen", "127.0.0.1:0")
        cls.addClassCleanup(cls.mock.stop)
        cls.proxy = Program(
            "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
            "--upstream", cls.mock.url,
        )
        cls.addClassCleanup(cls.proxy.stop)

    def calls(self):
        with urllib.request.urlopen(f"{self.mock.url}/mock/requests") as answer:
            return json.load(answer)["requests"]

    def free(self, ask):
        """What ask() gives, which must cost the provider nothing."""
        before = self.calls()
        answer = ask()
        self.assertEqual(self.calls(), before)
        return answer

    def word(self):
        """A word that no other test has."""
        return f"{os.getpid()} {self.id()}"
