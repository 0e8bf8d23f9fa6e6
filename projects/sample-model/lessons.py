#!/usr/bin/env python3
"""Makes what the second fine-tune learns from: lessons, pieces of novels, and the routings of the routed arm.

    lessons.py --novels english_novels_97.tar.xz --config finetune-2.json --out DIR

Needs Python 3.11 alone. Everything is drawn from one seed, so the same inputs give the same bytes. Written to DIR:

    lessons.jsonl    prompts and completions, one for each sequence of the run; every one about fills its 512 tokens
    routings.json    [step][group][layer]: whose keys and values a layer reads

A lesson is a passage with as many questions as fit: names asked for as in recall.json ("gave the letter to ____"), and the
next words of a sentence ("gave the letter ..."). Nothing comes twice without being asked for.
"""
import argparse
import json
import pathlib
import random

import prepare

SEED = prepare.SEED + 4
LESSON_SHARE = 0.6  # of the sequences; the rest are pieces of novels
LESSON_CHARACTERS = 1120  # 2.5 characters make a token
PIECE_CHARACTERS = 1400
CONTINUATIONS = 12  # of a passage at most
LESSONS = 400  # of a novel at most
LAYERS = 12
FULL_SHARE, SERVED_SHARE = 0.4, 0.45  # of the groups; the rest have their owners anywhere
# Owners under retention:.75, .5 and .33; and for a quarter not the evenly spread 0, 4, 8: what finds a name lies too high in
# this model to pass that gap.
SERVED = ((0, 2, 3, 4, 6, 7, 8, 10, 11), (0, 2, 4, 6, 8, 10), (0, 3, 6, 9), (0, 6, 9))


def continuations(passage, rng, wanted):
    """[(question, answer)]: words of a sentence, and the ones that follow."""
    found = []
    for sentence in prepare.SENTENCE_END.split(passage):
        words = sentence.split()
        for start in range(0, len(words) - 7, 6):
            asked = words[start:start + rng.randint(4, 7)]
            answer = words[start + len(asked):][:rng.randint(2, 7)]
            if answer and passage.count(" ".join(asked[-3:]) + " ") == 1:
                found.append((" ".join(asked) + " ...", " ".join(answer)))
    return rng.sample(found, min(wanted, len(found)))


def lesson(passage, questions, rng):
    """One sequence: the passage, and its questions in any order while there is room."""
    asked = [(q, a) for q, a, _ in questions] + continuations(passage, rng, CONTINUATIONS)
    rng.shuffle(asked)
    kept, room = [], LESSON_CHARACTERS - len(passage)
    for question, answer in asked:
        room -= len(question) + len(answer) + 20
        if room < 0:
            break
        kept.append((question, answer))
    prompt, completion = prepare.exercise(passage, kept).rsplit(" " + kept[-1][1], 1)[0], " " + kept[-1][1]
    return {"prompt": prompt, "completion": completion}


def novel_pieces(novels, rng, wanted):
    """Runs of paragraphs of about a sequence, from any place of any training novel."""
    found = []
    for novel in novels.training:
        document, size = [], 0
        for line in novels.lines[novel]:
            document.append(line)
            size += len(line) + 1
            if size >= PIECE_CHARACTERS:
                found.append("\n".join(document))
                document, size = [], 0
    return list(prepare.pieces(rng.sample(found, wanted), None))


def nearest(owners):
    """The sharing map in which every layer reads the nearest owner below it."""
    return [max(owner for owner in owners if owner <= layer) for layer in range(LAYERS)]


def routing(rng):
    """A draw: every layer its own, one of the maps that are served, or as many owners anywhere."""
    kind, owners = rng.random(), rng.choice(SERVED)
    if kind < FULL_SHARE:
        return nearest(range(LAYERS))
    if kind < FULL_SHARE + SERVED_SHARE:
        return nearest(owners)
    return nearest([0, *rng.sample(range(1, LAYERS), len(owners) - 1)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--novels", required=True)
    parser.add_argument("--config", required=True, type=pathlib.Path, help="the run's options: steps, batch, routing-groups")
    parser.add_argument("--out", required=True, type=pathlib.Path)
    options = parser.parse_args()
    run = json.loads(options.config.read_text())

    rng = random.Random(SEED)
    draws = [[routing(rng) for _ in range(run["routing-groups"])] for _ in range(run["steps"])]
    (options.out / "routings.json").write_text(json.dumps(draws) + "\n")

    rng = random.Random(SEED + 1)
    novels = prepare.Novels(options.novels)
    sequences = run["steps"] * run["batch"]
    lessons = [lesson(passage, questions, rng) for rows in novels.recall(novels.training, rng, LESSONS).values()
               for passage, questions in rows]
    count = int(sequences * LESSON_SHARE)
    if count > len(lessons):
        raise SystemExit(f"{options.config}: its steps want {count} lessons and the novels give {len(lessons)}; ask for fewer.")
    rows = rng.sample(lessons, count) + novel_pieces(novels, rng, sequences - count)
    rng.shuffle(rows)
    (options.out / "lessons.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(json.dumps({"lessons": count, "novel_pieces": sequences - count,
                      "questions": sum(row["prompt"].count("\nQuestion: ") for row in rows)}))


if __name__ == "__main__":
    main()
