#!/usr/bin/env python3
"""Draws the routings of an arm that is told which maps a model serves well, or which layers it needs as owners.

    routings.py --kind searched|weighted|second-round --config finetune.json --matrix matrix.json --maps map.json… --out FILE.json

    searched, second-round   every layer its own (40 %), one of the maps (45 %), as many owners anywhere (15 %)
    weighted                 as the sampler `strategy`, but a layer is drawn as an owner in proportion to what the sensitivity
                             matrix says it costs that it is none: the least loss over the layers it could read instead

Writes [step][group][layer]: whose keys and values a layer reads.
"""
import argparse
import json
import pathlib
import random

SEED = 20261129
RETENTIONS = (1, 0.75, 0.5, 0.33, 0.25)  # of the sampler `strategy`
FULL_SHARE, FOUND_SHARE = 0.4, 0.45


def nearest(owners, layers):
    """The sharing map in which every layer reads the nearest owner below it."""
    return [max(owner for owner in owners if owner <= layer) for layer in range(layers)]


def owners_of(src):
    return [layer for layer, source in enumerate(src) if layer == source]


def anywhere(count, layers, rng):
    return nearest([0, *rng.sample(range(1, layers), count - 1)], layers)


def by_weight(count, weights, rng):
    """Owners drawn one by one without replacement; layer 0 is one."""
    left, owners = dict(enumerate(weights[1:], start=1)), [0]
    for _ in range(count - 1):
        owner = rng.choices(list(left), list(left.values()))[0]
        owners.append(owner)
        del left[owner]
    return nearest(owners, len(weights))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", required=True, choices=("searched", "weighted", "second-round"))
    parser.add_argument("--config", required=True, type=pathlib.Path)
    parser.add_argument("--matrix", required=True, type=pathlib.Path)
    parser.add_argument("--maps", required=True, nargs="+", type=pathlib.Path)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    options = parser.parse_args()
    run = json.loads(options.config.read_text())
    delta = json.loads(options.matrix.read_text())["delta"]
    layers = len(delta)
    maps = [src for src in (json.loads(path.read_text()).get("src") for path in options.maps) if src]
    weights = [0] + [max(min(cost for cost in row if cost is not None), 1e-3) for row in delta[1:]]
    rng = random.Random(f"{SEED} {options.kind}")

    def weighted():
        retention = rng.choice(RETENTIONS)
        return by_weight(max(1, int(retention * layers + 0.5)), weights, rng)

    def searched():
        kind, src = rng.random(), rng.choice(maps)
        if kind < FULL_SHARE:
            return list(range(layers))
        return src if kind < FULL_SHARE + FOUND_SHARE else anywhere(len(owners_of(src)), layers, rng)

    draw = weighted if options.kind == "weighted" else searched
    drawn = [[draw() for _ in range(run["routing-groups"])] for _ in range(run["steps"])]
    options.out.write_text(json.dumps(drawn) + "\n")


if __name__ == "__main__":
    main()
