#!/usr/bin/env python3
"""Writes a sample model's card: card.md, filled in from what the recipe made.

    card.py --arm base|routed --work build/sample-model >README.md

Needs Python 3.11 alone. Reads scores.md (evaluate.py), the options of the recipe's stages, and the arm's run.
"""
import argparse
import json
import pathlib
import sqlite3
import string

RECIPE = pathlib.Path(__file__).resolve().parent
STAGES = {"pretrain-1": 750, "pretrain-2": None, "finetune-1": None, "finetune-2": None}  # steps used, where not all
WHAT = {
    "base": "It was fine-tuned\n"
            "**without** routing and is here to be compared with `sample-routed`, which saw the same data in the same order: under most maps\n"
            "that share the cache it loses its answers; with half of the cache the best map found keeps two thirds of them.",
    "routed": "It was fine-tuned **with**\n"
            "routing: while it learned, its layers read one another's keys and values under many maps. It keeps its answers under several maps\n"
            "of three quarters, half and a third of the cache, and with a quarter under the owners 0, 6 and 9, but not under evenly spread ones.\n"
            "`sample-base` saw the same data in the same order.",
}
ROUTING = {
    "base": "No layer ever read another's keys and values.",
    "routed": "Routing: in the first fine-tune the sampler `strategy:1,.75,.5,.33`. In the second each group of two sequences drew the full"
              " map (40 %),\none of four maps that are served (45 %: `retention:.75`, `.5`, `.33`, and for a quarter the owners 0, 6 and"
              " 9), or as many owners\nanywhere (15 %).",
}


def stage(name):
    return json.loads((RECIPE / f"{name}.json").read_text())


def tokens():
    """What each stage saw at most, in millions."""
    runs = {name: (stage(name), steps) for name, steps in STAGES.items()}
    seen = [(steps or run["steps"]) * run["batch"] * run["length"] / 1e6 for run, steps in runs.values()]
    return (f"{seen[0]:.1f} + {seen[1]:.1f} million in pre-training, {seen[2]:.1f} million at most in the first fine-tune and"
            f" {seen[3]:.1f} million in the second")


def metrics(run):
    """({step: training loss}, {map: {step: held-out loss}})"""
    with sqlite3.connect(f"file:{run}/run.sqlite?mode=ro", uri=True) as database:
        found = database.execute("SELECT name, step, value FROM metrics WHERE name = 'loss' OR name LIKE 'nll/%'").fetchall()
    held = {}
    for name, step, value in found:
        if name != "loss":
            held.setdefault(name.removeprefix("nll/"), {})[step] = value
    return {step: value for name, step, value in found if name == "loss"}, held


def curve(run):
    """A table of the second fine-tune's loss, a mean over what was trained since, and its held-out loss under each map."""
    loss, held = metrics(run)
    maps = sorted(held, key=lambda name: ("full", "retention:.5", "retention:.25").index(name))
    lines = ["| step | training loss | " + " | ".join(f"held out, {name}" for name in maps) + " |", "|---|---|" + "---|" * len(maps)]
    before = 0
    for step in sorted(held["full"]):
        since = [value for at, value in loss.items() if before <= at < step]
        mean = f"{sum(since) / len(since):.3f}" if since else ""
        lines.append(f"| {step} | {mean} | " + " | ".join(f"{held[name][step]:.3f}" for name in maps) + " |")
        before = step
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arm", required=True, choices=WHAT)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    options = parser.parse_args()
    second = stage("finetune-2")
    run = options.work / "project/runs" / (options.work / f"{options.arm}.run").read_text().strip()
    card = string.Template((RECIPE / "card.md").read_text())
    print(card.substitute(arm=options.arm, what=WHAT[options.arm], routing=ROUTING[options.arm], tokens=tokens(),
                          curve=curve(run), scores=(options.work / "scores.md").read_text().rstrip(),
                          steps=second["steps"], lr=f"{second['lr']:g}"), end="")


if __name__ == "__main__":
    main()
