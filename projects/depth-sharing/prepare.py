#!/usr/bin/env python3
"""Makes the experiment's data: what every arm is fine-tuned on, and the test split.

    prepare.py --novels english_novels_97.tar.xz --out DIR

Needs Python 3.11 alone. Everything is drawn from one seed, so the same input gives the same bytes. Written to DIR:

    train.jsonl   prompts and completions, one for each sequence of a run; every one about fills its 512 tokens
    test.json     recall questions in SQuAD's form, on passages that share no sentence with the validation split
    test.txt      chapters that share no paragraph with the validation split

The validation split is projects/tiny-stories: recall.json and novels.txt. Both splits are of the five held-out novels
(projects/sample-model/README.md), which no model is trained on.
"""
import argparse
import json
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "sample-model"))
import lessons  # noqa: E402
import prepare as sample  # noqa: E402

SEED = sample.SEED + 19
SEQUENCES = 3904  # of 512 tokens: 2.0 M tokens
LESSON_SHARE, ECHO_SHARE = 0.6, 0.15  # of the sequences; the rest are pieces of novels
TEST_CHAPTERS = 32


def training_rows(novels, rng):
    lesson_rows = [lessons.lesson(passage, questions, rng)
                   for rows in novels.recall(novels.training, rng, lessons.LESSONS).values() for passage, questions in rows]
    count, echo_count = int(SEQUENCES * LESSON_SHARE), int(SEQUENCES * ECHO_SHARE)
    echoes = [echo for novel in novels.training
              for echo in sample.share_of(sample.echoes(novels.lines[novel], novels.names[novel], rng), 20_000)]
    rows = (rng.sample(lesson_rows, count) + list(sample.pieces(rng.sample(echoes, echo_count), lessons.PIECE_CHARACTERS)) +
            lessons.novel_pieces(novels, rng, SEQUENCES - count - echo_count))
    rng.shuffle(rows)
    return rows


def sentences(text):
    return {sentence for line in text.split("\n") for sentence in sample.SENTENCE_END.split(line) if len(sentence) > 20}


def test_questions(novels, seen, rng):
    """One question of each passage, as in the validation split; passages hold no sentence of `seen`."""
    found = {}
    for novel in novels.held_out:
        rows = []
        for passage in sample.passages(novels.lines[novel], rng, 10**6):
            questions = sample.recall_questions(passage, novels.names[novel], rng)
            if questions and not sentences(passage) & seen:
                rows.append((passage, questions))
        found[novel] = rows
    return sample.recall_file(found, rng)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--novels", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    novels = sample.Novels(options.novels)
    stories = HERE.parent / "tiny-stories"
    questions = json.loads((stories / "recall.json").read_text())
    chapters = (stories / "novels.txt").read_text()

    rows = training_rows(novels, random.Random(SEED))
    (options.out / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    rng = random.Random(SEED + 1)
    contexts = [paragraph["context"] for article in questions["data"] for paragraph in article["paragraphs"]]
    test = test_questions(novels, set().union(*map(sentences, contexts)), rng)
    (options.out / "test.json").write_text(json.dumps(test) + "\n")

    seen = set(chapters.split("\n"))
    fresh = [chapter for novel in novels.held_out for chapter in sample.documents(novels.lines[novel])
             if not set(chapter.split("\n")) & seen]
    sample.write_text(options.out / "test.txt", rng.sample(fresh, TEST_CHAPTERS))
    print(json.dumps({"train": len(rows), "test_questions": {a["title"]: len(a["paragraphs"]) for a in test["data"]},
                      "baselines": sample.baselines(test, novels), "fresh_chapters": len(fresh)}, indent=2))


if __name__ == "__main__":
    main()
