#!/usr/bin/env python3
"""Tokens a second of one HTTP stream and of several at once, alternating, from `strata serve`.

    tests/bench/http_streams.py MODEL [--streams 16] [--tokens 64] [--rounds 5]      MODEL has a tokenizer
"""

import argparse
import json
import re
import statistics
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

STRATA = Path(__file__).resolve().parents[2] / "build/release/bin/strata"


def stream(url, token, model, number, tokens, counted):
    body = {"model": model, "prompt": f"Story number {number}: once upon a time there was a", "max_tokens": tokens, "temperature": 0, "ignore_eos": True,
            "stream": True, "stream_options": {"include_usage": True}}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    with urllib.request.urlopen(urllib.request.Request(url + "/completions", json.dumps(body).encode(), headers)) as answer:
        for line in answer:
            if line.startswith(b"data: {"):
                counted[number] = (json.loads(line[6:]).get("usage") or {}).get("completion_tokens", counted.get(number, 0))


def speed(url, token, model, streams, tokens):
    """All tokens over the seconds from the first request to the last answer."""
    counted = {}
    threads = [threading.Thread(target=stream, args=(url, token, model, i, tokens, counted)) for i in range(streams)]
    started = time.perf_counter()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    seconds = time.perf_counter() - started
    if sum(counted.values()) != streams * tokens:
        raise SystemExit(f"{sum(counted.values())} tokens came, not {streams * tokens}")
    return streams * tokens / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--streams", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    server = subprocess.Popen([STRATA, "serve", args.model, "--port", "0", "--threads", str(args.threads)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    try:
        text = ""
        while not (found := re.search(r"(http://\S+/v1)", text)) or not (key := re.search(r"Token: (\S+)", text)):
            line = server.stdout.readline()
            if not line:
                raise SystemExit(f"The server did not start:\n{text}")
            text += line
        server_at = found.group(1), key.group(1), Path(args.model).name
        one, several = [], []
        for i in range(args.rounds + 1):  # the first is a warm-up
            for streams, values in ((1, one), (args.streams, several)):
                value = speed(*server_at, streams, args.tokens)
                if i > 0:
                    values.append(value)
    finally:
        server.terminate()
        server.wait()
    a, b = statistics.median(one), statistics.median(several)
    for streams, values in ((1, one), (args.streams, several)):
        print(f"{streams:3} at once: {statistics.median(values):7.1f} tok/s ({min(values):.1f} to {max(values):.1f})")
    print(f"{b / a:.2f} times")


if __name__ == "__main__":
    main()
