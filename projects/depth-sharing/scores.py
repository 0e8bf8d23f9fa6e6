#!/usr/bin/env python3
"""Tables of all arms from what `run` left in results/: F1 by retention, and paired differences.

    scores.py [--split validation|test] [--task squad|nll]

Seeds of an arm are averaged question by question (nll: document by document). For each arm and size of the cache the searched
map is the one of those found (and the even one) with the best F1 on the validation split, whatever split is shown. Intervals: 95 %, paired
percentile bootstrap of 10,000 draws; of questions, or of novels where that is wider, as `strata compare` has it.
"""
import argparse
import collections
import json
import pathlib
import random
import statistics

RESULTS = pathlib.Path(__file__).resolve().parent / "results"
SIZES = {".75": 9, ".5": 6, ".33": 4, ".25": 3, ".167": 2}
DRAWS = 10000


def answers(name, score):
    """{map: {question: (score, weight)}} of an evaluation; empty where it is not done."""
    file = RESULTS / f"{name}.json"
    if not file.exists():
        return {}
    found = json.loads(file.read_text())
    return {label: {question: (value, weight) for question, value, weight in
                    zip(found["questions"], scores[score], scores.get("tokens") or [1] * len(found["questions"]))}
            for label, scores in found["maps"].items()}


def owners(label):
    src = [int(s) for s in label.split(",")]
    return sum(layer == source for layer, source in enumerate(src))


def mean(rows):
    return sum(s * w for s, w in rows.values()) / sum(w for _, w in rows.values())


def chosen_map(arm, size):
    """By F1, then NLL of the answer, on the validation split."""
    f1, nll = answers(f"validation-squad-{arm}", "f1"), answers(f"validation-squad-{arm}", "nll")
    fitting = [label for label in f1 if label == f"retention:{size}" or ("," in label and owners(label) == SIZES[size])]
    return min(((-mean(f1[label]), mean(nll[label]), label) for label in fitting), default=(0, 0, None))[2]


def together(per_seed):
    """The mean over the seeds that have it, question by question."""
    return {q: (statistics.fmean(rows[q][0] for rows in per_seed), per_seed[0][q][1]) for q in per_seed[0]} if per_seed else {}


def interval(a, b):
    """Mean of b - a with its 95 % interval."""
    differences = [(q, b[q][0] - a[q][0], a[q][1]) for q in sorted(a)]
    novels = collections.defaultdict(list)
    for q, difference, weight in differences:
        novels[q.rsplit("-", 1)[0]].append((difference * weight, weight))
    centre = sum(d * w for _, d, w in differences) / sum(w for *_, w in differences)
    bounds = []
    for units in ([[(d * w, w)] for _, d, w in differences], list(novels.values())):
        if len(units) < 2:
            continue
        sums = [(sum(d for d, _ in unit), sum(w for _, w in unit)) for unit in units]
        rng = random.Random(1)
        means = sorted(sum(d for d, _ in picked) / sum(w for _, w in picked)
                       for picked in (rng.choices(sums, k=len(sums)) for _ in range(DRAWS)))
        bounds.append((means[int(0.025 * DRAWS)], means[int(0.975 * DRAWS) - 1]))
    low, high = max(bounds, key=lambda bound: bound[1] - bound[0])
    return f"{centre:+.3f} [{low:+.3f}, {high:+.3f}]"


class Arm:
    def __init__(self, name, split, task):
        self.name = name
        self.seeds = sorted(int(file.stem.rsplit("-", 1)[1]) for file in RESULTS.glob(f"validation-squad-{name}-[0-9].json"))
        self.score = "nll" if task == "nll" else "f1"
        self.runs = {}
        for seed in self.seeds:
            self.runs[seed] = answers(f"{split}-{task}-{name}-{seed}", self.score)

    def rows(self, label):
        return together([maps[label] for maps in self.runs.values() if label in maps])

    def searched(self, size):
        picked = [(maps, chosen_map(f"{self.name}-{seed}", size)) for seed, maps in self.runs.items()]
        return together([maps[label] for maps, label in picked if label in maps])


def table(title, header, lines):
    print(f"\n{title}\n\n| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for line in lines:
        print("| " + " | ".join(line) + " |")


def shown(rows):
    return f"{mean(rows):.3f}" if rows else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", default="validation", choices=("validation", "test"))
    parser.add_argument("--task", default="squad", choices=("squad", "nll"))
    options = parser.parse_args()
    names = dict.fromkeys(file.stem[len("validation-squad-"):].rsplit("-", 1)[0]
                          for file in sorted(RESULTS.glob("validation-squad-*-[0-9].json")))
    arms = {name: Arm(name, options.split, options.task) for name in names}
    what = f"{'F1' if options.task == 'squad' else 'nats a token'}, {options.split} split"

    table(f"Even owners: {what}", ["arm", "seeds", "full", *SIZES],
          [[name, str(len(arm.seeds)), shown(arm.rows("full")), *[shown(arm.rows(f"retention:{size}")) for size in SIZES]]
           for name, arm in arms.items()])
    table(f"Searched maps: {what}", ["arm", *SIZES],
          [[name, *[shown(arm.searched(size)) for size in SIZES]] for name, arm in arms.items()])
    table(f"A tail that reads one layer: {what}", ["arm", *[f"prefix:{SIZES[size]}" for size in SIZES]],
          [[name, *[shown(arm.rows(f"prefix:{SIZES[size]}")) for size in SIZES]] for name, arm in arms.items()])

    lines = []
    for name, arm in arms.items():
        full = arm.rows("full")
        for size in (".5", ".25"):
            for kind, rows in (("even", arm.rows(f"retention:{size}")), ("searched", arm.searched(size))):
                if not (full and rows):
                    continue
                paper = arms["uniform.5"].rows(f"retention:{size}") if "uniform.5" in arms else {}
                same = paper if kind == "even" or not paper else arms["uniform.5"].searched(size)
                base = arms.get("sample-base" if name.startswith("sample-") else "base")
                base_rows = {} if base is None else base.rows(f"retention:{size}") if kind == "even" else base.searched(size)
                lines.append([name, size, kind, f"{mean(rows) / mean(full):.2f}" if mean(full) else "", interval(full, rows),
                              interval(base.rows("full"), full) if base else "", interval(base_rows, rows) if base_rows else "",
                              interval(same, rows) if same else "", interval(paper, rows) if paper else ""])
    table(f"Paired differences, {what}", ["arm", "retention", "map", "of its full map", "less its full map",
                                          "its full map less base's", "less base's", "less uniform .5's", "less uniform .5 with even owners"], lines)


if __name__ == "__main__":
    main()
