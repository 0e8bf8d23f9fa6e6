#!/usr/bin/env python3
"""Exports models and loads them with transformers: the same logits under the full map, for each family.

    VENV/bin/python tests/journeys/transformers_round_trip.py [MODEL_DIR ...]

VENV holds torch, transformers, safetensors (and peft for adapters). Without arguments: all golden models, once as they
are and, where there is an adapter, once with it merged. Prints a table; exits with 1 where logits differ by more than
2e-4 in fp32. The models are exported with a map that has followers: the stock model ignores it and still holds every
key and value projection.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

ROOT = Path(__file__).resolve().parents[2]
STRATA = ROOT / "build/release/bin/strata"
TOLERANCE = 2e-4
LENGTH = 40


def strata(*arguments):
    result = subprocess.run([STRATA, *map(str, arguments), "--json"], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"strata {' '.join(map(str, arguments))} ended with {result.returncode}:\n{result.stderr}{result.stdout}")
    return json.loads(result.stdout)


def largest_difference(model, adapter, folder):
    """Between our logits of the export and those of transformers, and of our own before the export."""
    with_adapter = ["--adapter", adapter] if adapter else []
    exported = folder / "exported"
    strata("export", model, *with_adapter, "--map", "stride:2", exported)
    vocab = json.loads((exported / "config.json").read_text())["vocab_size"]
    ids = [(i * 7919 + 13) % vocab for i in range(LENGTH)]
    ours = folder / "logits.safetensors"
    strata("score", exported, "--ids", ",".join(map(str, ids)), "--map", "full", "--dtype", "float32", "--logits", ours)
    stock, problems = AutoModelForCausalLM.from_pretrained(
        exported, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if problems[kind]:
            sys.exit(f"{model}: transformers reports {kind}: {sorted(problems[kind])[:5]}")
    with torch.no_grad():
        theirs = stock.eval()(torch.tensor([ids])).logits[0]
    return type(stock).__name__, (load_file(ours)["logits"] - theirs).abs().max().item()


def main():
    models = [Path(each) for each in sys.argv[1:]] or sorted((ROOT / "tests/golden/models").iterdir())
    failed = False
    print(f"{'model':<28} {'class':<22} {'largest difference':>18}")
    for model in models:
        adapters = [None] + ([model / "adapter"] if (model / "adapter").is_dir() else [])
        for adapter in adapters:
            with tempfile.TemporaryDirectory() as folder:
                name, difference = largest_difference(model, adapter, Path(folder))
            failed = failed or not difference <= TOLERANCE
            print(f"{model.name + (' + adapter' if adapter else ''):<28} {name:<22} {difference:18.2e}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
