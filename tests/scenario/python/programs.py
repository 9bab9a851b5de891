"""The real programs under test, started on free ports and stopped again."""

import concurrent.futures
import http.server
import itertools
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
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

    def flights(self):
        """Calls of the provider under way."""
        with urllib.request.urlopen(f"http://{self.ready['admin']}/metrics") as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith("llm_edge_flights_active "):
                    return int(line.split()[1])
        raise AssertionError("no such metric")


def start_mock(*options):
    return Program("mock-provider", "--listen", "127.0.0.1:0", *options)


def start_proxy(upstream, *options):
    return Program(
        "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
        "--upstream", upstream, *options,
    )


class BusyProvider:
    """Refuses every body the first time, with `status` and Retry-After, and then asks the mock."""

    def __init__(self, mock, status):
        refused = set()
        lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    is_first = body not in refused
                    refused.add(body)
                if is_first:
                    self.answer(status, "application/json", b'{"error":{"message":"Busy."}}')
                    return
                asked = urllib.request.Request(
                    f"{mock.url}{self.path}", body, {"Content-Type": "application/json"}
                )
                with urllib.request.urlopen(asked) as reply:
                    self.answer(200, reply.headers["Content-Type"], reply.read())

            def answer(self, status, content_type, body):
                self.send_response(status)
                if status != 200:
                    self.send_header("Retry-After", "1")
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a proxy that has ended
            super().handle_error(request, client_address)


class Transcripts:
    """A provider that answers with tests/golden/dialects/: a model is the name of its answer."""

    def __init__(self, endpoint):
        folder = pathlib.Path(os.environ["LEC_TEST_TRANSCRIPTS"]) / endpoint
        self.names = sorted(file.stem for file in folder.glob("*.sse"))
        self.requests = 0
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                provider.requests += 1
                streams = asked.get("stream", False)
                answer = (folder / f"{asked['model']}.{'sse' if streams else 'json'}").read_bytes()
                self.send_response(200)
                self.send_header(
                    "Content-Type", "text/event-stream" if streams else "application/json"
                )
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class ProxyTest(unittest.TestCase):
    """A mock provider and a proxy before it, for all tests of a class."""

    words = itertools.count()

    @classmethod
    def setUpClass(cls):
        cls.mock = start_mock()
        cls.addClassCleanup(cls.mock.stop)
        cls.proxy = start_proxy(cls.mock.url)
        cls.addClassCleanup(cls.proxy.stop)

    def started(self, program):
        """The same, for one test."""
        self.addCleanup(program.stop)
        return program

    def calls(self, mock=None):
        with urllib.request.urlopen(f"{(mock or self.mock).url}/mock/requests") as answer:
            return json.load(answer)["requests"]

    def free(self, ask, mock=None):
        """What ask() gives, which must cost the provider nothing."""
        before = self.calls(mock)
        answer = ask()
        self.assertEqual(self.calls(mock), before)
        return answer

    def word(self):
        """A word that nothing else asked has."""
        return f"{os.getpid()} {self.id()} {next(self.words)}"

    def check_every_order(self, make_request, forms):
        """An answer says the same in all `forms` (name -> what asks), whichever form was stored."""
        for stored, asked in itertools.product(forms, forms):
            with self.subTest(stored=stored, asked=asked):
                request = make_request()
                first = forms[stored](request)
                self.assertEqual(self.free(lambda: forms[asked](request)), first)

    def check_transcripts(self, endpoint, forms):
        """The library reads from a hit what it reads from the provider itself in the same form.

        forms: name -> ask(program, model, word)"""
        provider = self.started(Transcripts(endpoint))
        proxy = self.started(start_proxy(provider.url))
        for model, stored in itertools.product(provider.names, forms):
            word = self.word()
            forms[stored](proxy, model, word)
            for asked, ask in forms.items():
                with self.subTest(endpoint=endpoint, model=model, stored=stored, asked=asked):
                    own = ask(provider, model, word)
                    before = provider.requests
                    self.assertEqual(ask(proxy, model, word), own)
                    self.assertEqual(provider.requests, before)

    def check_hanging_up(self, proxy, mock, begin, whole):
        """begin() reads a part of a stream and leaves it; whole() asks for the same again."""
        before = self.calls(mock)
        begin()
        end = time.monotonic() + 20
        while proxy.flights() > 0:
            self.assertLess(time.monotonic(), end, "the call does not end by itself")
            time.sleep(0.02)
        self.assertEqual(self.calls(mock), before + 1)
        return self.free(whole, mock)

    def check_retries(self, asks_of, busy_error):
        """asks_of(proxy, max_retries): functions that each ask something, the same every time.

        Busy provider: the library waits as it says and asks again, or the proxy does it for a
        library that does not; what came at last is a hit."""
        for status in (429, 503):
            busy = self.started(BusyProvider(self.mock, status))
            passing = self.started(start_proxy(busy.url, "--upstream-max-retries", "0"))
            for ask in asks_of(passing, max_retries=0):
                with self.assertRaises(busy_error[status]) as raised:
                    ask()
                self.assertEqual(raised.exception.response.headers["retry-after"], "1")
            for proxy, max_retries in (
                (self.started(start_proxy(busy.url, "--upstream-max-retries", "0")), 2),
                (self.started(start_proxy(busy.url)), 0),
            ):
                asks = asks_of(proxy, max_retries=max_retries)
                with concurrent.futures.ThreadPoolExecutor(len(asks)) as pool:
                    answers = list(pool.map(lambda ask: ask(), asks))
                again = self.free(lambda: [ask() for ask in asks])
                self.assertEqual(again, answers)
