#!/usr/bin/env python3
"""lm_eval_client.py STRATA MODEL [MAP ...]: EleutherAI's lm-evaluation-harness against `strata serve MODEL`.

Three tasks made from the sample project, asked over HTTP as `lm_eval --model local-completions` asks them: multiple choice
(log-likelihoods), the perplexity of texts (rolling log-likelihoods) and short answers (generation). Each figure stands
beside Strata's own: `strata eval` and `strata score`, of the same texts under the same map. Default maps: full and
retention:.5.

Needs `pip install lm_eval[api]`, as `packaging/setup --interop` installs it; exit code 77 where the package is missing.
"""
import contextlib
import io
import json
import math
import os
import pathlib
import re
import subprocess
import sys
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TQDM_DISABLE="1")
try:
    import lm_eval
except ImportError:
    print("skipped: no lm_eval package; packaging/setup --interop installs it into .deps/interop")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "projects/tiny-stories"
DTYPE = "float32"  # in bfloat16 a cached and an uncached pass round differently
TOLERANCE = 1e-4
QUESTIONS, TEXTS, ANSWERS = 60, 12, 8
PROMPT = "{{ context }}\n{{ question }}"

# <s> is the BOS that Strata's own tasks begin with: the harness tokenizes without one.
CHOICES = """task: strata_choices
dataset_path: json
dataset_kwargs: {data_files: {test: FOLDER/choices.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "<s>{{context}}\\n{{question}}"
doc_to_choice: choices
doc_to_target: answer
metric_list:
  - {metric: acc, aggregation: mean, higher_is_better: true}
  - {metric: acc_norm, aggregation: mean, higher_is_better: true}
"""
TEXT = """task: strata_texts
dataset_path: json
dataset_kwargs: {data_files: {test: FOLDER/texts.jsonl}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: text
metric_list:
  - {metric: word_perplexity, aggregation: weighted_perplexity, higher_is_better: false}
  - {metric: byte_perplexity, aggregation: weighted_perplexity, higher_is_better: false}
"""
GENERATED = """task: strata_answers
dataset_path: json
dataset_kwargs: {data_files: {test: FOLDER/answers.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "<s>{{context}}\\n{{question}}"
doc_to_target: "{{choices[answer]}}"
generation_kwargs: {until: ["\\n", "."], max_gen_toks: 12, do_sample: false}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
"""


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_data(folder):
    """Questions of the sample's recall test as multiple choice, whose wrong choices are other questions' answers; and
    texts of at most 1000 characters, which fit one window."""
    squad = json.loads((SAMPLE / "recall.json").read_text())
    paragraphs = [paragraph for article in squad["data"] for paragraph in article["paragraphs"]]
    asked = [(paragraph["context"], qa) for paragraph in paragraphs for qa in paragraph["qas"]]
    words = sorted({qa["answers"][0]["text"] for _, qa in asked})
    rows = []
    for number, (context, qa) in enumerate(asked[:QUESTIONS]):
        right = qa["answers"][0]["text"]
        wrong = [word for word in words if word != right]
        choices = [wrong[(37 * number + 101 * i) % len(wrong)] for i in range(3)]
        choices.insert(number % 4, right)
        question = qa["question"].removesuffix("____").strip()
        rows.append({"id": str(number), "context": context, "question": question, "choices": choices, "answer": number % 4})
    write_lines(folder / "choices.jsonl", rows)
    write_lines(folder / "answers.jsonl", rows[:ANSWERS])
    stories = (SAMPLE / "heldout.txt").read_text().split("<|endoftext|>")
    texts = [story.strip()[:1000] for story in stories if story.strip()][:TEXTS]
    write_lines(folder / "texts.jsonl", [{"text": text} for text in texts])
    for name, task in (("choices", CHOICES), ("texts", TEXT), ("answers", GENERATED)):
        (folder / f"{name}.yaml").write_text(task.replace("FOLDER", str(folder)))
    return rows, texts


class Strata:
    """The program's own figures."""

    def __init__(self, program, model):
        self.program, self.model = program, model

    def run(self, verb, *arguments):
        command = [self.program, verb, self.model, "--dtype", DTYPE, "--json", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)
        return json.loads(done.stdout)

    def choices(self, folder, route):
        result = self.run("eval", "--task", "multiple-choice", "--data", folder / "choices.jsonl", "--maps", route,
                          "--prompt", PROMPT)
        return result["results"][0]

    def log_likelihood(self, folder, text, route):
        path = folder / "one.txt"
        path.write_text(text)
        result = self.run("score", "--text", path, "--map", route)
        assert result["windows"] == 1
        return -result["nll"] * result["tokens"]

    def answer(self, prompt, route):
        return self.run("generate", "--prompt", prompt, "--max-tokens", 12, "--temperature", 0, "--map", route)["text"]


def ask(name, hello, folder, batch):
    os.environ["OPENAI_API_KEY"] = hello["token"]
    from lm_eval.tasks import TaskManager

    arguments = {"model": name, "base_url": hello["url"] + "/completions", "tokenizer_backend": "auto",
                 "auth_token": hello["token"], "max_length": 512, "max_retries": 1}
    said = io.StringIO()  # progress bars
    try:
        with contextlib.redirect_stderr(said):
            return lm_eval.simple_evaluate(
                model="local-completions", model_args=arguments, batch_size=batch, log_samples=True, bootstrap_iters=0,
                tasks=["strata_choices", "strata_texts", "strata_answers"],
                task_manager=TaskManager(include_path=str(folder), include_defaults=False))
    except BaseException:
        print(said.getvalue(), file=sys.stderr)
        raise


def compare(what, theirs, ours, tolerance=TOLERANCE):
    print(f"  {what:<28} lm-eval {theirs:.6f}   strata {ours:.6f}   difference {abs(theirs - ours):.1e}")
    assert abs(theirs - ours) <= tolerance * max(1.0, abs(ours)), what


def check(strata, name, route, hello, folder, rows, texts, batch, served=None):
    """`served`: what the server calls the model under this map."""
    served = served or f"{name}@{route}"
    print(f"{served}, {batch} prompts a request")
    harness = ask(served, hello, folder, batch)
    figures = {task: {metric.split(",")[0]: value for metric, value in values.items()}
               for task, values in harness["results"].items()}

    ours = strata.choices(folder, route)
    compare("accuracy", figures["strata_choices"]["acc"], ours["acc"])
    compare("accuracy, normalised", figures["strata_choices"]["acc_norm"], ours["acc_norm"])
    # The harness keeps the log-likelihood of each choice; Strata tells the loss of the right ones by token.
    right = [float(sample["filtered_resps"][sample["doc"]["answer"]][0]) for sample in harness["samples"]["strata_choices"]]
    compare("log-likelihood, right choice", sum(right) / len(right), -ours["nll"] * ours["tokens"] / len(right))

    total = sum(strata.log_likelihood(folder, text, route) for text in texts)
    characters = sum(len(text.encode()) for text in texts)
    words = sum(len(re.split(r"\s+", text)) for text in texts)  # as the harness counts
    compare("perplexity of a byte", figures["strata_texts"]["byte_perplexity"], math.exp(-total / characters))
    compare("log-likelihood of a word", -math.log(figures["strata_texts"]["word_perplexity"]), total / words)

    samples = sorted(harness["samples"]["strata_answers"], key=lambda sample: sample["doc_id"])
    for row, sample in zip(rows, samples):
        own = strata.answer(f"{row['context']}\n{row['question']}", route)
        own = re.split(r"[\n.]", own)[0]
        assert own.strip() == sample["resps"][0][0].strip(), (own, sample["resps"])
    print(f"  {'greedy answers':<28} {len(samples)} equal, such as {samples[0]['resps'][0][0]!r}")


def main():
    program, model, *routes = sys.argv[1:]
    server = subprocess.Popen([program, "serve", model, "--port", "0", "--dtype", DTYPE, "--json"],
                              stdout=subprocess.PIPE, text=True)
    try:
        hello = json.loads(server.stdout.readline())
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place)
            os.environ["HF_HOME"] = os.environ["HF_DATASETS_CACHE"] = str(folder / "cache")
            rows, texts = write_data(folder)
            strata = Strata(program, model)
            for number, route in enumerate(routes or ["full", "retention:.5"]):
                check(strata, hello["models"][0], route, hello, folder, rows, texts, batch=[1, 8][number % 2])
    finally:
        server.terminate()
    assert server.wait(10) == 0
    print("ok: lm_eval", lm_eval.__version__)


if __name__ == "__main__":
    main()
