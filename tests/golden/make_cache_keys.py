#!/usr/bin/env python3
"""Writes cache_keys.json from the description in docs/format.md, independently of the library.

Run it only when a change of keys is meant, and say so in CHANGELOG.md.
"""

import hashlib
import json
import pathlib

# Each parameter as (JSON text as a caller may spell it, its canonical form).
CASES = [
    ("minimal", {"model": "gpt-4o", "prompt": "Hi"}, {}),
    ("empty", {"model": "", "prompt": ""}, {}),
    (
        "readme",
        {
            "model": "gpt-4o",
            "prompt": "What is a bloom filter?",
            "temperature": 0.7,
            "max_tokens": 256,
        },
        {"top_p": ("0.9", "0.9")},
    ),
    ("zero temperature", {"model": "m", "prompt": "p", "temperature": 0}, {}),
    ("negative temperature", {"model": "m", "prompt": "p", "temperature": -0.25}, {}),
    ("rounded temperature", {"model": "m", "prompt": "p", "temperature": 0.700001}, {}),
    ("most tokens", {"model": "m", "prompt": "p", "max_tokens": 4294967295}, {}),
    ("namespace", {"model": "m", "prompt": "p", "namespace": "tenant-a"}, {}),
    ("unicode", {"model": "modèle", "prompt": "Grüße 😀\n"}, {}),
    ("long prompt", {"model": "m", "prompt": "lorem ipsum " * 500}, {}),
    (
        "structured parameters",
        {"model": "m", "prompt": "p"},
        {
            "tools": (
                '[ {"type":"function", "function":{"name":"f","parameters":{}} } ]',
                '[{"function":{"name":"f","parameters":{}},"type":"function"}]',
            ),
            "stop": ('["\\u000a","\\u20ac"]', '["\\n","€"]'),
            "seed": ("9007199254740993", "9007199254740993"),
            "top_p": ("1.0", "1"),
            "penalty": ("1E-7", "1e-7"),
            "large": ("1E+20", "1e+20"),
        },
    ),
    (
        "properties of a schema",
        {"model": "m", "prompt": "p"},
        {
            "schema": (
                '{"type":"object", "properties":{"why":{},"answer":{"type":"string","enum":["b","a"]}}}',
                '{"properties":{"why":{},"answer":{"enum":["b","a"],"type":"string"}},"type":"object"}',
            ),
        },
    ),
]


def field(tag, data):
    return bytes([tag]) + len(data).to_bytes(8, "little") + data


def key_bytes(request, parameters):
    out = b"llm-edge-cache key\x01L"
    out += field(1, request.get("namespace", "").encode())
    out += field(2, request["model"].encode())
    out += field(3, request["prompt"].encode())
    if "temperature" in request:
        hundredths = round(request["temperature"] * 100)
        out += field(4, hundredths.to_bytes(8, "little", signed=True))
    if "max_tokens" in request:
        out += field(5, request["max_tokens"].to_bytes(8, "little"))
    for name in sorted(parameters, key=str.encode):
        out += field(6, name.encode()) + field(7, parameters[name][1].encode())
    return out


def main():
    golden = []
    for name, request, parameters in CASES:
        key = hashlib.sha256(key_bytes(request, parameters)).hexdigest()
        spelled = {name: text for name, (text, _) in parameters.items()}
        if spelled:
            request = {**request, "parameters": spelled}
        golden.append({"name": name, "request": request, "key": key})
    path = pathlib.Path(__file__).with_name("cache_keys.json")
    path.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
