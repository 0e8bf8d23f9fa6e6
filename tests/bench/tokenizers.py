#!/usr/bin/env python3
"""Encoding speed beside the `tokenizers` library, one thread each, in turns; the medians as a table.

    cmake --build build/release --target tokenize_bench
    python tests/bench/tokenizers.py --program build/release/bin/tokenize_bench [--data ../shared/data] [--repeat 5]

Needs the `tokenizers` wheel. For each tokenizer: the first MiB of novels (and whether the ids are the library's, by their
number and a checksum), then a MiB of one character and of random bytes (the library reads these as text with U+FFFD).
"""
import argparse, json, os, pathlib, random, statistics, subprocess, sys, tarfile, tempfile, time

os.environ.update(RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
MIB = 1 << 20


def texts(data):
    with tarfile.open(data / "corpora/english_novels_97.tar.xz") as tar:
        novel = b""
        for member in tar:
            if member.isfile() and member.name.endswith(".txt") and len(novel) < MIB:
                novel += tar.extractfile(member).read()
    one = {"letters": "a", "spaces": " ", "newlines": "\n", "digits": "7", "emoji": "\U0001F680"}
    out = {"novel": novel[:MIB].decode("utf-8", "ignore").encode()}
    out.update({name: (c * MIB).encode()[:MIB] for name, c in one.items()})
    out["random bytes"] = random.Random(1).randbytes(MIB)
    return out


def ours(program, tokenizer, files):
    run = subprocess.run([program, tokenizer, *files], check=True, capture_output=True, text=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return lines[0]["open_s"], [(line["seconds"], (line["ids"], line["checksum"])) for line in lines[1:]]


PEER = """
import sys, json, time
from tokenizers import Tokenizer
t = Tokenizer.from_file(sys.argv[1])
for name in sys.argv[2:]:
    text = open(name, "rb").read().decode("utf-8", "replace")
    start = time.perf_counter()
    ids = t.encode(text, add_special_tokens=False).ids
    seconds, checksum = time.perf_counter() - start, 0
    for i in ids:
        checksum = (checksum * 31 + i) & 0xFFFFFFFF
    print(json.dumps([seconds, [len(ids), checksum]]), flush=True)
"""


def peer(tokenizer, files, limit):
    try:
        run = subprocess.run([sys.executable, "-c", PEER, tokenizer, *files], capture_output=True, text=True, timeout=limit)
        return [(s, tuple(ids)) for s, ids in map(json.loads, run.stdout.splitlines())]
    except subprocess.TimeoutExpired as expired:
        return [(s, tuple(ids)) for s, ids in map(json.loads, (expired.stdout or b"").decode().splitlines())]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[3] / "shared/data")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--peer-limit", type=float, default=60, help="seconds that the library may take for all texts")
    options = parser.parse_args()
    tokenizers = {"gpt2": "tokenizers/gpt2", "llama3": "tokenizers/llama3", "qwen2": "tokenizers/qwen2",
                  "mistral": "tokenizers/mistral", "mistral legacy": "tokenizers/mistral/legacy",
                  "stories260K": "models/stories260K"}
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for name, content in texts(options.data).items():
            files[name] = f"{folder}/{name.replace(' ', '_')}"
            pathlib.Path(files[name]).write_bytes(content)
        print(f"{'tokenizer':<15} {'text':<13} {'Strata s':>9} {'library s':>10} {'ratio':>6}  ids")
        for name, path in tokenizers.items():
            tokenizer = str(options.data / path / "tokenizer.json")
            novel, theirs, opening = [], [], []
            for _ in range(options.repeat):  # in turns, so that both meet the same machine
                opened, result = ours(options.program, tokenizer, [files["novel"]])
                opening.append(opened)
                novel += result
                theirs += peer(tokenizer, [files["novel"]], options.peer_limit)
            a, b = statistics.median(s for s, _ in novel), statistics.median(s for s, _ in theirs)
            same = "equal" if novel[0][1] == theirs[0][1] else f"{novel[0][1]} != {theirs[0][1]}"
            print(f"{name:<15} {'novel':<13} {a:9.3f} {b:10.3f} {b / a:6.2f}  {same}")
            rest = [text for text in files if text != "novel"]
            _, mine = ours(options.program, tokenizer, [files[text] for text in rest])
            library = peer(tokenizer, [files[text] for text in rest], options.peer_limit)
            for i, text in enumerate(rest):
                known = i < len(library)
                s = f"{library[i][0]:10.3f} {library[i][0] / mine[i][0]:6.2f}" if known else f"{'-':>10} {'-':>6}"
                same = "" if not known else "equal" if library[i][1] == mine[i][1] else f"{mine[i][1]} != {library[i][1]}"
                print(f"{name:<15} {text:<13} {mine[i][0]:9.3f} {s}  {same}")
            print(f"{name:<15} {'opening':<13} {statistics.median(opening):9.3f}", flush=True)


if __name__ == "__main__":
    main()
