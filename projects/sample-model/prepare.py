#!/usr/bin/env python3
"""Makes the sample model's data: texts to pre-train on, questions to fine-tune on, and held-out ones of both.

    prepare.py --novels english_novels_97.tar.xz --squad dev-v1.1.json --out DIR

Needs Python 3.11 alone. Everything is drawn from one seed, so the same inputs give the same bytes. Written to DIR:

    vocabulary.txt   what the tokenizer is trained on
    pretrain-1.txt   chapters of the training novels, recall exercises and questions with their paragraphs, as documents
    pretrain-2.txt   a smaller draw of the same, and echoes: text that comes twice
    finetune.jsonl   prompts and completions: recall and SQuAD questions, echoes, pieces of the training novels
    heldout.txt      chapters of authors that no other file holds
    recall.json      recall questions of those authors, in SQuAD's form
    squad.json       questions on articles that no other file holds
    report.json      counts, and the scores of answers that take no understanding

A recall question repeats the words of a passage up to a name and asks for the name: "gave the letter to ____".
"""
import argparse
import collections
import itertools
import json
import pathlib
import random
import re
import tarfile
import unicodedata

SEED = 20261124
HELD_OUT_AUTHORS = ("Burnett", "Stevenson")
HELD_OUT_ARTICLES = 8
HELD_OUT_CHAPTERS = 24
RECALL_SHARE = 0.35  # of pretrain-1.txt, in characters
SECOND_CHARACTERS = 34_000_000  # of pretrain-2.txt
FINETUNE_PIECES = 1500
FINETUNE_ECHOES = 38  # of each training novel
DAMAGED = ("Stevenson_Catriona_1893",)  # this copy has lost its apostrophes
DOCUMENT_CHARACTERS = 6000
SEPARATOR = "<|endoftext|>"
# Capitalised words that name nobody and nothing.
NOT_NAMES = set("""Mr Mrs Miss Ms Sir Madam Lady Lord Dr St Esq God Heaven Oh Ah Yes No Well Monday Tuesday Wednesday Thursday
Friday Saturday Sunday January February March April May June July August September October November December Christmas
Easter English French German Italian Spanish Latin Greek American Chapter The But And Then There This That What When Where
Who Why How You She They His Her Its Our Your Their For With From Not Now Yet Nay Aye Captain Colonel Major General Doctor
Professor Father Mother Uncle Aunt Aunty King Queen Prince Princess Duke Duchess Count Countess Squire Parson Bishop
Reverend Christian Catholic Protestant Bible Church Parliament House""".split())

# The space behind a full stop that ends no title or initial, and behind the quotation mark that follows one.
SENTENCE_END = re.compile(r"""(?<=[.!?]["']) (?=[A-Z"'])|(?<!\bMr\.)(?<!\bMrs\.)(?<!\bDr\.)(?<!\bSt\.)(?<!\b[A-Z]\.)(?<=[.!?]) (?=[A-Z"'])""")


def plain(text):
    """ASCII with straight quotes; what has no such form is dropped."""
    for old, new in {"’": "'", "‘": "'", "“": '"', "”": '"', "—": "--", "–": "-", "…": "...", "æ": "ae", "œ": "oe"}.items():
        text = text.replace(old, new)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return text.replace("_", "")


def paragraphs(text):
    """Of a novel: blocks between empty lines, each on one line, without headings."""
    for block in re.split(r"\n\s*\n", plain(text)):
        line = " ".join(block.split())
        if len(line) > 20 and not line.isupper():
            yield line


def documents(lines):
    """Paragraphs joined to documents of about DOCUMENT_CHARACTERS."""
    document, size = [], 0
    for line in lines:
        document.append(line)
        size += len(line) + 1
        if size >= DOCUMENT_CHARACTERS:
            yield "\n".join(document)
            document, size = [], 0
    if document:
        yield "\n".join(document)


def names_of(text):
    """Words that stand capitalised inside sentences, and hardly ever in small letters."""
    inside = collections.Counter(re.findall(r"(?<=[a-z,;] )([A-Z][a-z]{2,})\b", text))
    small = collections.Counter(re.findall(r"\b[a-z]{3,}\b", text))
    return {name for name, count in inside.items()
            if count >= 5 and name not in NOT_NAMES and small[name.lower()] * 20 < count}


def passages(lines, rng, wanted):
    """Runs of whole sentences of one novel, 50 to 110 words, at random places."""
    sentences = [s for line in lines for s in SENTENCE_END.split(line)]
    starts = list(range(len(sentences)))
    rng.shuffle(starts)
    used = set()
    for start in starts[:wanted * 8]:
        words, end, goal = 0, start, rng.randint(50, 100)
        while end < len(sentences) and words < goal:
            words += len(sentences[end].split())
            end += 1
        if words > 110 or words < 40 or any(i in used for i in range(start, end)):
            continue
        used.update(range(start, end))
        yield " ".join(sentences[start:end])


def recall_questions(passage, names, rng):
    """[(question, answer, answer_start)], at most one for each name of the passage, in the passage's order."""
    places = collections.defaultdict(list)
    for match in re.finditer(r"\b[A-Z][a-z]{2,}\b", passage):
        if match.group() in names:
            places[match.group()].append(match)
    if len(places) < 3:
        return []
    questions = []
    for name, matches in places.items():
        rng.shuffle(matches)
        for match in matches:
            before = re.split(r'[.!?"]', passage[:match.start()])[-1].split()
            if len(before) < 4:
                continue
            words = before[-rng.randint(4, 9):]
            asked = " ".join(words)
            if passage.count(" ".join(words[-3:]) + " ") > 1 or not passage[:match.start()].endswith(asked + " "):
                continue
            questions.append((asked + " ____", name, match.start()))
            break
    return sorted(questions, key=lambda question: question[2])


def exercise(context, questions):
    """A passage and its questions as one document, as Strata asks them (README, Texts and data)."""
    return f"Context: {context}\n" + "\n".join(f"Question: {q}\nAnswer: {a}" for q, a in questions)


def echoes(lines, names, rng):
    """Documents in which everything comes again: what teaches a small model soonest to look back and copy."""
    sentences = [s for line in lines for s in SENTENCE_END.split(line) if 4 <= len(s.split()) <= 40]
    names = sorted(names)
    while len(sentences) >= 30 and len(names) >= 20:
        kind = rng.random()
        if kind < 0.5:  # each sentence twice
            yield "\n".join(f"{s}\n{s}" for s in rng.sample(sentences, 8))
        elif kind < 0.75:  # some sentences, and all of them again
            text = " ".join(rng.sample(sentences, 4))
            yield f"{text}\n{text}"
        else:  # a list three times
            text = ", ".join(rng.sample(names, rng.randint(10, 20)))
            yield f"{text}.\n{text}.\n{text}."


def share_of(texts, characters):
    """The first of them, until they hold so many characters."""
    taken = []
    for text in texts:
        if characters <= 0:
            break
        taken.append(text)
        characters -= len(text)
    return taken


def squad_file(articles):
    return {"version": "1.1", "data": [{"title": title, "paragraphs": found} for title, found in articles]}


def squad_paragraph(context, questions):
    """questions: [(id, question, [(answer, start)])]"""
    return {"context": context, "qas": [{"id": i, "question": q, "answers": [{"text": a, "answer_start": s} for a, s in answers]}
                                        for i, q, answers in questions]}


class Novels:
    def __init__(self, archive):
        self.lines = {}
        with tarfile.open(archive) as files:
            for member in sorted((m for m in files if m.isfile()), key=lambda m: m.name):
                name = pathlib.PurePosixPath(member.name).stem
                if name in DAMAGED:
                    continue
                self.lines[name] = list(paragraphs(files.extractfile(member).read().decode("utf-8", "replace")))
        self.names = {novel: names_of("\n".join(lines)) for novel, lines in self.lines.items()}
        self.held_out = [n for n in self.lines if n.startswith(HELD_OUT_AUTHORS)]
        self.training = [n for n in self.lines if n not in self.held_out]

    def recall(self, novels, rng, per_novel):
        """{novel: [(passage, questions)]}"""
        found = {}
        for novel in novels:
            rows = []
            for passage in passages(self.lines[novel], rng, per_novel):
                questions = recall_questions(passage, self.names[novel], rng)
                if questions and len(rows) < per_novel:
                    rows.append((passage, questions))
            found[novel] = rows
        return found


def recall_file(found, rng):
    """One question of each passage: any name, whatever its place or number in the passage."""
    articles = []
    for novel, rows in found.items():
        asked = []
        for i, (passage, questions) in enumerate(rows):
            question, answer, start = rng.choice(questions)
            asked.append(squad_paragraph(passage, [(f"{novel}-{i}", question, [(answer, start)])]))
        articles.append((novel, asked))
    return squad_file(articles)


def baselines(recall, novels):
    """The share of recall questions that a rule answers which never reads the question."""
    right, count = collections.Counter(), 0
    for article in recall["data"]:
        for paragraph in article["paragraphs"]:
            found = [w for w in re.findall(r"\b[A-Z][a-z]{2,}\b", paragraph["context"]) if w in novels.names[article["title"]]]
            for qa in paragraph["qas"]:
                gold = qa["answers"][0]["text"]
                count += 1
                right["most_frequent_name"] += collections.Counter(found).most_common(1)[0][0] == gold
                right["first_name"] += found[0] == gold
                right["last_name"] += found[-1] == gold
                right["any_name"] += 1 / len(set(found))
    return {"no_answer": 0.0, **{rule: round(hits / count, 4) for rule, hits in right.items()}}


def squad_articles(path, rng):
    """(held out, training): [(title, [(context, [(id, question, [(answer, start)])])])]"""
    articles = []
    for article in json.loads(pathlib.Path(path).read_text())["data"]:
        found = [(p["context"], [(q["id"], q["question"], [(a["text"], a["answer_start"]) for a in q["answers"]]) for q in p["qas"]])
                 for p in article["paragraphs"]]
        articles.append((article["title"], found))
    rng.shuffle(articles)
    return articles[:HELD_OUT_ARTICLES], articles[HELD_OUT_ARTICLES:]


def one_question_each(articles, rng, most):
    """SQuAD with at most `most` questions of a paragraph, in plain letters."""
    picked = []
    for title, found in articles:
        rows = []
        for context, questions in found:
            some = rng.sample(questions, min(most, len(questions)))
            rows.append(squad_paragraph(plain(context), [(i, plain(q), [(plain(a), s) for a, s in answers]) for i, q, answers in some]))
        picked.append((title, rows))
    return squad_file(picked)


def prompts(file):
    """A SQuAD file's questions as Strata asks them (README, Texts and data), with their answers."""
    for article in file["data"]:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                yield {"prompt": f"Context: {paragraph['context']}\nQuestion: {qa['question']}\nAnswer:",
                       "completion": " " + qa["answers"][0]["text"]}


def pieces(chapters, size):
    """The first `size` characters of each text, in whole words, behind its first word; None: all of it."""
    for chapter in chapters:
        text = chapter if size is None or size >= len(chapter) else chapter[:size].rsplit(" ", 1)[0]
        first, rest = text.split(" ", 1)
        yield {"prompt": first, "completion": " " + rest}


def write_text(path, texts):
    path.write_text(f"\n{SEPARATOR}\n".join(texts) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--novels", required=True)
    parser.add_argument("--squad", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    options = parser.parse_args()
    out = options.out
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(SEED)

    novels = Novels(options.novels)
    chapters = [d for n in novels.training for d in documents(novels.lines[n])]
    rng.shuffle(chapters)
    held_out_articles, articles = squad_articles(options.squad, rng)
    quizzes = [exercise(plain(context), [(plain(q), plain(answers[0][0])) for _, q, answers in questions[:6]])
               for _, found in articles for context, questions in found]
    exercises = [exercise(passage, [(q, a) for q, a, _ in rng.sample(questions, min(4, len(questions)))])
                 for rows in novels.recall(novels.training, rng, 400).values() for passage, questions in rows]
    rng.shuffle(exercises)

    novel_size = sum(map(len, chapters))
    some = share_of(exercises, novel_size * RECALL_SHARE / (1 - RECALL_SHARE))
    pretrain = chapters + some + quizzes
    rng.shuffle(pretrain)
    write_text(out / "pretrain-1.txt", pretrain)
    (out / "vocabulary.txt").write_text("\n".join(line for text in pretrain[:4000] for line in text.split("\n")) + "\n")

    second = random.Random(SEED + 3)
    doubled = []
    for novel in novels.training:
        written = echoes(novels.lines[novel], novels.names[novel], second)
        doubled += share_of(written, SECOND_CHARACTERS * 0.3 / len(novels.training))
    again = (share_of(second.sample(chapters, len(chapters)), SECOND_CHARACTERS * 0.35) +
             share_of(second.sample(exercises, len(exercises)), SECOND_CHARACTERS * 0.35) + doubled)
    second.shuffle(again)
    write_text(out / "pretrain-2.txt", again)

    fine = random.Random(SEED + 1)
    recall_train = recall_file(novels.recall(novels.training, fine, 80), fine)
    squad_train = one_question_each(articles, fine, 1)
    fine_echoes = [text for novel in novels.training
               for text in itertools.islice(echoes(novels.lines[novel], novels.names[novel], fine), FINETUNE_ECHOES)]
    rows = [*prompts(recall_train), *prompts(squad_train), *pieces(fine.sample(chapters, FINETUNE_PIECES), 1500),
            *pieces(fine_echoes, None)]
    fine.shuffle(rows)
    (out / "finetune.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    held = random.Random(SEED + 2)
    held_chapters = [d for n in novels.held_out for d in documents(novels.lines[n])]
    write_text(out / "heldout.txt", held.sample(held_chapters, HELD_OUT_CHAPTERS))
    recall_test = recall_file(novels.recall(novels.held_out, held, 84), held)
    for article in recall_test["data"]:
        held.shuffle(article["paragraphs"])
    (out / "recall.json").write_text(json.dumps(recall_test))
    squad_test = one_question_each(held_out_articles, held, 2)
    (out / "squad.json").write_text(json.dumps(squad_test))

    def questions_in(file):
        return sum(len(p["qas"]) for a in file["data"] for p in a["paragraphs"])

    report = {
        "seed": SEED,
        "novels": {"training": len(novels.training), "held_out": novels.held_out},
        "pretrain": {"characters": sum(map(len, pretrain)), "chapters": len(chapters), "recall_exercises": len(some),
                     "squad_paragraphs": len(quizzes)},
        "pretrain_2": {"characters": sum(map(len, again)), "documents": len(again), "echoes": len(doubled)},
        "finetune": {"recall_questions": questions_in(recall_train), "squad_questions": questions_in(squad_train),
                     "novel_pieces": FINETUNE_PIECES, "echoes": len(fine_echoes)},
        "held_out": {"recall_questions": questions_in(recall_test), "squad_questions": questions_in(squad_test),
                     "articles": [title for title, _ in held_out_articles]},
        "recall_baselines_f1": baselines(recall_test, novels),
    }
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
