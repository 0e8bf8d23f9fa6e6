#!/usr/bin/env python3
"""Strata beside transformers in one run: prefill, decode and training of one model, alternating, medians and ratios.

    tests/bench/peers.py --python VENV/bin/python --peers DIR --model 100M_MODEL_DIR [--rounds 3] [--skip-training]

DIR holds bench_transformers.py and bench_training.py; VENV has what they need; the model is a Hugging Face folder
(make_bench_model.py --size 100m writes one). Each round runs A then B, so that a slow stretch of the machine hits both.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

STRATA = Path(__file__).resolve().parents[2] / "build/release/bin/strata"
# What the peer's README gives it for training on the CPU: no map per tensor, no trimming, huge pages.
TUNED = {"GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=100000000000:glibc.malloc.hugetlb=1"}


def answer_of(command, environment=None):
    """The JSON object on the last line that a command prints."""
    result = subprocess.run(command, env={**os.environ, **(environment or {})}, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {result.returncode}:\n{result.stderr[-2000:]}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="Python with transformers and torch")
    parser.add_argument("--peers", required=True, type=Path, help="folder of the peers' benchmarks")
    parser.add_argument("--model", required=True, help="Hugging Face folder, bf16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--skip-training", action="store_true")
    args = parser.parse_args()

    threads = str(args.threads)
    inference = {
        "strata": [STRATA, "bench", args.model, "--prompt-tokens", "512", "--context", "512", "--decode-tokens", "64", "--repeat", "3",
                   "--threads", threads, "--json"],
        "transformers": [args.python, args.peers / "bench_transformers.py", args.model, "--prompt", "512", "--context", "512",
                         "--decode", "64", "--repeat", "3", "--quiet", "5", "--threads", threads],
    }
    training = {
        "strata": [STRATA, "bench", args.model, "--train", "full", "--batch", "8", "--length", "256", "--dtype", "bfloat16", "--repeat", "5",
                   "--threads", threads, "--json"],
        "transformers": [args.python, args.peers / "bench_training.py", args.model, "--batch", "8", "--length", "256", "--warmup", "1",
                         "--repeat", "5", "--quiet", "5", "--threads", threads],
    }
    figures = {}

    def run(commands, keys, environment):
        for engine, command in commands.items():
            result = answer_of(command, environment if engine == "transformers" else None)
            for key in keys:
                figures.setdefault(key, {}).setdefault(engine, []).append(result[key])
            if "bandwidth_gb_s" in result:
                figures.setdefault("bandwidth_gb_s", {}).setdefault("machine", []).append(result["bandwidth_gb_s"])
            print(engine, {key: round(result[key], 1) for key in keys}, file=sys.stderr, flush=True)

    for _ in range(args.rounds):
        run(inference, ("prefill_tok_s", "decode_tok_s"), None)
    if not args.skip_training:
        for _ in range(args.rounds):
            run(training, ("train_tok_s", "rss_peak_mb"), TUNED)

    print(f"{'':16}{'strata':>12}{'transformers':>14}{'ratio':>8}   strata, all rounds / transformers, all rounds")
    for key, engines in figures.items():
        if key == "bandwidth_gb_s":
            continue
        ours, theirs = (statistics.median(engines[engine]) for engine in ("strata", "transformers"))
        rounds = " / ".join(" ".join(f"{value:.0f}" for value in engines[engine]) for engine in ("strata", "transformers"))
        print(f"{key:16}{ours:12.1f}{theirs:14.1f}{ours / theirs:8.2f}   {rounds}")
    reads = figures["bandwidth_gb_s"]["machine"]
    print(f"read bandwidth in the same run: {statistics.median(reads):.1f} GB/s ({min(reads):.1f} to {max(reads):.1f})")


if __name__ == "__main__":
    main()
