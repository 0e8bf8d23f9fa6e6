#!/usr/bin/env python3
"""Scores two models beside one another: held-out NLL and recall questions, under seven maps.

    evaluate.py --strata build/release/bin/strata --base DIR --routed DIR --data DIR --project DIR --out FILE.json

DATA is what prepare.py wrote. Differences are routed - base, paired (the same question, the same chapter), with the 2.5th
and 97.5th percentile of 10,000 bootstrap means (Efron and Tibshirani 1993, chapter 13). Prints Markdown tables. The last map
has its six owners where training puts them at most by chance.
"""
import argparse
import concurrent.futures
import json
import pathlib
import random
import sqlite3
import subprocess
import tempfile

QUARTER = "0,0,0,0,0,0,6,6,6,9,9,9"  # lessons.py trains it; retention:.25 has owners 0, 4, 8
MAPS = ["full", "retention:.75", "retention:.5", "retention:.33", QUARTER, "retention:.25", "sandwich:2,2,4"]
SEPARATOR = "\n<|endoftext|>\n"


class Strata:
    def __init__(self, program, project):
        self.program, self.project = program, project

    def json(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments), "--json"], stdout=subprocess.PIPE, check=True, text=True)
        return json.loads(done.stdout)

    def evaluate(self, model, task, data):
        """({map: result}, {map: {question: f1}})"""
        answer = self.json("eval", model, "--task", task, "--data", data, "--maps", ";".join(MAPS), "--project", self.project,
                           "--threads", 1)
        scores = {name: {} for name in MAPS}
        with sqlite3.connect(f"file:{self.project}/runs/{answer['run']}/run.sqlite?mode=ro", uri=True) as database:
            for name, question, f1 in database.execute("SELECT map, question, json_extract(scores, '$.f1') FROM answers"):
                scores[name][question] = f1
        return {result["map"]: result for result in answer["results"]}, scores

    def nll_of_chapters(self, model, chapters, name):
        """[(nats, tokens)]"""
        found = []
        for chapter in chapters:
            with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
                file.write(chapter)
                file.flush()
                answer = self.json("score", model, "--text", file.name, "--map", name, "--threads", 1)
                found.append((answer["nll"] * answer["tokens"], answer["tokens"]))
        return found


def interval(differences, weights=None, draws=10000, seed=1):
    """(mean, low, high) of a paired bootstrap; with weights the mean is weighted."""
    weights = weights or [1] * len(differences)
    sums = [d * w for d, w in zip(differences, weights)]
    rng, means = random.Random(seed), []
    for _ in range(draws):
        picked = rng.choices(range(len(sums)), k=len(sums))
        means.append(sum(sums[i] for i in picked) / sum(weights[i] for i in picked))
    means.sort()
    return sum(sums) / sum(weights), means[int(0.025 * draws)], means[int(0.975 * draws) - 1]


def table(title, header, rows):
    print(f"\n{title}\n\n| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def shown(value):
    return f"{value[0]:+.3f} [{value[1]:+.3f}, {value[2]:+.3f}]"


def recall(strata, pool, models, questions_file):
    """{map: scores of both models on the questions}, and the size of the cache under each map"""
    found = dict(zip(models, pool.map(lambda model: strata.evaluate(model, "squad", questions_file), models.values())))
    rows = {}
    for name in MAPS:
        questions = sorted(found["base"][1][name])
        differences = [found["routed"][1][name][q] - found["base"][1][name][q] for q in questions]
        rows[name] = {"n": len(questions), "difference": interval(differences),
                      **{f"{m}_{kind}": found[m][0][name][kind] for m in models for kind in ("f1", "em", "nll")}}
    return rows, {name: found["base"][0][name]["kv_bytes_per_token"] for name in MAPS}


def held_out(strata, pool, models, chapters):
    """{map: nats a token of both models over the chapters}"""
    def score(task):
        return strata.nll_of_chapters(models[task[0]], chapters, task[1])

    tasks = [(model, name) for name in MAPS for model in models]
    found = dict(zip(tasks, pool.map(score, tasks)))
    rows = {}
    for name in MAPS:
        base, routed = found["base", name], found["routed", name]
        tokens = [count for _, count in base]
        rows[name] = {"tokens": sum(tokens), "base": sum(nats for nats, _ in base) / sum(tokens),
                      "routed": sum(nats for nats, _ in routed) / sum(tokens),
                      "difference": interval([(r[0] - b[0]) / b[1] for b, r in zip(base, routed)], tokens)}
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("strata", "base", "routed", "data", "project", "out"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    strata, data = Strata(options.strata, options.project), pathlib.Path(options.data)
    models = {"base": options.base, "routed": options.routed}
    chapters = (data / "heldout.txt").read_text().strip().split(SEPARATOR)
    report = {"baselines": json.loads((data / "report.json").read_text())["recall_baselines_f1"]}
    with concurrent.futures.ThreadPoolExecutor(len(models)) as pool:
        report["recall"], kv_bytes = recall(strata, pool, models, data / "recall.json")
        report["nll"] = held_out(strata, pool, models, chapters)

    table(f"Held-out text: nats a token over {len(chapters)} chapters, {report['nll']['full']['tokens']} tokens",
          ["map", "KV bytes a token", "base", "routed", "routed - base"],
          [[name, str(kv_bytes[name]), f"{row['base']:.3f}", f"{row['routed']:.3f}", shown(row["difference"])]
           for name, row in report["nll"].items()])
    table(f"Recall: F1 (exact match) of {report['recall']['full']['n']} questions",
          ["map", "base", "routed", "routed - base (F1)"],
          [[name, f"{row['base_f1']:.3f} ({row['base_em']:.3f})", f"{row['routed_f1']:.3f} ({row['routed_em']:.3f})",
            shown(row["difference"])] for name, row in report["recall"].items()])
    print("\nAnswers that never read the question, recall: " +
          ", ".join(f"{rule.replace('_', ' ')} {value:.3f}" for rule, value in report["baselines"].items()))
    pathlib.Path(options.out).write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
