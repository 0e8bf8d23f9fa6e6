#!/usr/bin/env python3
"""Gives owners the key and value projections of layers that read them, head by head, without training.

    graft.py --strata FILE --model DIR --map retention.json --questions recall.json [--limit 64] --out DIR
    graft.py --model DIR --grafts 9:0-8:0,6:0-4:0 --out DIR

Needs Python 3.11 with torch and safetensors. The graft 9:0-8:0 lets KV head 0 of layer 8 project with the weights of KV head 0 of layer 9
(the scales of both layers' input norms accounted for): layer 9, reading layer 8, finds what it would make of its own input,
made of the input of layer 8. Query heads of layer 8 that read this head lose what they had.

With a map the grafts are found: of all that give an owner the head of one of its followers, the one that raises most the mean
log-probability of the answer's first token, under the map and under the full map together; and so on while it rises by .02.
"""
import argparse
import json
import pathlib
import shutil

from safetensors import safe_open
from safetensors.torch import save_file

import attention

LEAST_GAIN = 0.02


def graft(model, layer, head, owner):
    """Weights by name, of `owner`'s projections with that head of `layer`."""
    def norm(at):
        return model.w[f"model.layers.{at}.input_layernorm.weight"]

    changed = {}
    for kind in ("k_proj", "v_proj"):
        name = f"model.layers.{{}}.self_attn.{kind}.weight"
        weight, rows = model.w[name.format(owner)].clone(), slice(head * model.size, (head + 1) * model.size)
        weight[rows] = model.w[name.format(layer)][rows] * (norm(layer) / norm(owner))
        changed[name.format(owner)] = weight
    return changed


def answer_score(model, questions, maps):
    """The mean log-probability of the answers' first tokens over the maps."""
    return sum(float(model.forward(q["ids"], src)[0].log_softmax(-1)[q["answer"][0]]) for q in questions
               for src in maps) / len(questions) / len(maps)


def search(model, src, questions):
    """[(layer, head, owner)], grafted in this order."""
    maps = [src, list(range(model.layers))]
    best, grafts = answer_score(model, questions, maps), []
    print(f"score {best:.3f}", flush=True)
    while True:
        scores = {}
        for layer, owner in enumerate(src):
            for head in range(model.kv_heads):
                if layer != owner and (owner, head) not in [(o, h) for _, h, o in grafts]:
                    kept = dict(model.w)
                    model.w.update(graft(model, layer, head, owner))
                    scores[layer, head, owner] = answer_score(model, questions, maps)
                    model.w = kept
        found = max(scores, key=scores.get, default=None)
        if found is None or scores[found] < best + LEAST_GAIN:
            return grafts
        best = scores[found]
        grafts.append(found)
        model.w.update(graft(model, *found))
        print(f"{found[0]}:{found[1]}-{found[2]}:{found[1]}  score {best:.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--grafts", help="LAYER:HEAD-OWNER:HEAD,...")
    parser.add_argument("--map", help="the owners of each layer, by commas")
    parser.add_argument("--strata")
    parser.add_argument("--questions", type=pathlib.Path)
    parser.add_argument("--limit", type=int, default=64)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    options = parser.parse_args()
    model = attention.Llama(options.model)
    if options.grafts:
        for text in options.grafts.split(","):
            (layer, head), (owner, _) = (map(int, place.split(":")) for place in text.split("-"))
            model.w.update(graft(model, layer, head, owner))
    else:
        questions = attention.questions_of(options.strata, options.model, options.questions, options.limit)
        search(model, [int(s) for s in options.map.split(",")], questions)
    with safe_open(options.model / "model.safetensors", "pt") as file:
        metadata, stored = file.metadata(), {name: file.get_tensor(name).dtype for name in file.keys()}
    shutil.copytree(options.model, options.out)
    save_file({name: model.w[name].to(dtype).contiguous() for name, dtype in stored.items()}, options.out / "model.safetensors", metadata)


if __name__ == "__main__":
    main()
