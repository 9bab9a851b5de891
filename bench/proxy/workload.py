"""What is asked, with what, and how a run is read."""

import dataclasses
import http.client
import json
import pathlib
import re
import subprocess

PATH = "/v1/chat/completions"
# LiteLLM takes no weaker one as its master key; it protects nothing.
CREDENTIAL = "Bearer sk-bench-6f1d8a2c94e7b05d3f8a6c1e9b7d2405"


def request_body(number: int | str, choices: int, stream: bool) -> str:
    question = f"Which of the answers to question {number} is the longest?"
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": question}], "n": choices}
    return json.dumps(body | {"stream": True} if stream else body)


def headers(more: dict[str, str]) -> dict[str, str]:
    return {"Content-Type": "application/json", "Authorization": CREDENTIAL} | more


def post(port: int, body: str, more_headers: dict[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", PATH, body, headers(more_headers))
    answer = connection.getresponse()
    return answer.status, answer.read()


def body_of_size(port: int, answer_bytes: int, choices: int, stream: bool) -> str:
    """A request that the mock provider answers with about so many bytes."""
    for number in range(2000):
        body = request_body(number, choices, stream)
        if abs(len(post(port, body, {})[1]) - answer_bytes) <= answer_bytes // 32:
            return body
    raise SystemExit(f"no answer of about {answer_bytes} bytes")


def write_script(path: pathlib.Path, body: str, more_headers: dict[str, str], fresh: bool) -> pathlib.Path:
    """A wrk script. `fresh`: no question is asked twice."""
    pairs = ",".join(f"[ [==[{name}]==] ]=[==[{value}]==]" for name, value in headers(more_headers).items())
    lines = [f"local headers = {{{pairs}}}", f"local body = [==[{body}]==]"]
    if fresh:
        lines += [
            "local asked = 0",
            "local start = tostring(os.time())",
            "request = function()",
            "  asked = asked + 1",
            '  local unique = body:gsub("question", "question " .. start .. asked)',
            f'  return wrk.format("POST", "{PATH}", headers, unique)',
            "end",
        ]
    else:
        lines += [
            "local whole",
            f'init = function() whole = wrk.format("POST", "{PATH}", headers, body) end',
            "request = function() return whole end",
        ]
    lines += [
        "done = function(summary, latency, _)",
        '  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,',
        "    summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout,",
        "    latency:percentile(50), latency:percentile(99), summary.bytes))",
        "end",
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def request_bytes(port: int, body: str, more_headers: dict[str, str]) -> bytes:
    """A whole request, for the clients that send it as it is."""
    lines = [f"POST {PATH} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body.encode())}"]
    lines += [f"{name}: {value}" for name, value in headers(more_headers).items()]
    return "\r\n".join([*lines, "", body]).encode()


@dataclasses.dataclass
class Run:
    requests: int
    rate: float  # per second
    errors: int
    differing: int  # answers that were compared and are not the stored one; wrk compares none
    p50_us: float
    p99_us: float


def load_by_wrk(port: int, script: pathlib.Path, connections: int, seconds: int, core: str) -> Run:
    command = ["taskset", "-c", core, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script)]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}"], check=True, capture_output=True, text=True, timeout=seconds + 60
    )
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    requests, duration_us, errors, p50_us, p99_us, _ = map(int, found.groups())
    return Run(requests, requests / duration_us * 1e6, errors, 0, p50_us, p99_us)


def load_of_hits(
    binary: pathlib.Path, folder: pathlib.Path, port: int, request: bytes, answer: bytes, connections: int,
    seconds: int, core: str,
) -> Run:  # fmt: skip
    """By `bench_http_load`, which costs less than wrk and compares answers."""
    (folder / "request").write_bytes(request)
    (folder / "answer").write_bytes(answer)
    command = ["taskset", "-c", core, str(binary), "--port", str(port), "--connections", str(connections)]
    command += ["--request", str(folder / "request"), "--expect", str(folder / "answer"), "--seconds", str(seconds)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=seconds + 60)
    run = json.loads(done.stdout)
    rate = run["requests"] / run["seconds"]
    return Run(run["requests"], rate, run["errors"], run["differing"], run["p50_us"], run["p99_us"])
