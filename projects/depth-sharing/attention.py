#!/usr/bin/env python3
"""Where a model finds names: which heads attend to the answer, and what each layer's attention is needed for.

    attention.py --strata FILE --model DIR --questions recall.json [--map 0,0,0,0,4,4,4,4,8,8,8,8] [--limit 100] --out FILE.json

Needs Python 3.11 with torch and safetensors. What a head may attend to, in a recall question ("gave the letter to ____"):

    word       from each token of the passage: the token before it
    asked      from the prompt's last token: the question's last words
    name       from the prompt's last token: the answer's tokens in the passage
    question   from the question's last words: the answer's tokens in the passage

Written for each layer: the mean attention of its strongest head, and of the questions answered right (first token, greedy), how
many are lost when no head of that layer alone may attend to it.
"""
import argparse
import json
import pathlib
import subprocess

import torch
from safetensors.torch import load_file

torch.set_grad_enabled(False)
HOPS = ("word", "asked", "name", "question")


class Llama:
    """The forward pass of core/model under a sharing map, with its attention in sight."""

    def __init__(self, folder):
        self.shape = json.loads((folder / "config.json").read_text())
        self.w = {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}
        self.heads, self.kv_heads = self.shape["num_attention_heads"], self.shape["num_key_value_heads"]
        self.size, self.layers = self.shape["head_dim"], self.shape["num_hidden_layers"]

    def norm(self, x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.shape["rms_norm_eps"]) * self.w[name]

    def rope(self, x):  # [H, T, D]
        half = self.size // 2
        inverse = self.shape["rope_theta"] ** (-torch.arange(half, dtype=torch.float64) / half)
        angle = (torch.arange(x.shape[1], dtype=torch.float64)[:, None] * inverse).float()
        cos, sin = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)
        return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin

    def forward(self, ids, src, blocked=None):
        """Logits of the last position [V], attention [L][H, T, T]. blocked[l]: [T, T], True where layer l sees nothing."""
        x = self.w["model.embed_tokens.weight"][ids]
        count, kept, seen = len(ids), {}, []
        future = torch.ones(count, count).triu(1).bool()
        for layer in range(self.layers):
            at = f"model.layers.{layer}."
            h = self.norm(x, at + "input_layernorm.weight")

            def heads(name, n):
                return (h @ self.w[f"{at}self_attn.{name}_proj.weight"].T).view(count, n, self.size).transpose(0, 1)

            if layer in src:
                kept[layer] = self.rope(heads("k", self.kv_heads)), heads("v", self.kv_heads)
            k, v = (t.repeat_interleave(self.heads // self.kv_heads, 0) for t in kept[src[layer]])
            mask = future if blocked is None or layer not in blocked else future | blocked[layer]
            scores = (self.rope(heads("q", self.heads)) @ k.transpose(1, 2)) / self.size**0.5
            weights = scores.masked_fill(mask, -1e30).softmax(-1)
            seen.append(weights)
            x = x + (weights @ v).transpose(0, 1).reshape(count, -1) @ self.w[at + "self_attn.o_proj.weight"].T
            h = self.norm(x, at + "post_attention_layernorm.weight")
            gate = torch.nn.functional.silu(h @ self.w[at + "mlp.gate_proj.weight"].T)
            x = x + (gate * (h @ self.w[at + "mlp.up_proj.weight"].T)) @ self.w[at + "mlp.down_proj.weight"].T
        last = self.norm(x[-1], "model.norm.weight")
        return self.w.get("lm_head.weight", self.w["model.embed_tokens.weight"]) @ last, seen


def tokenize(strata, model, texts):
    lines = "\n".join(json.dumps({"text": text}) for text in texts)
    done = subprocess.run([strata, "tokenize", str(model), "--jsonl"], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def places(pieces, text, start):
    """The token (BOS counted) that holds character `start`."""
    position = 0
    for i, piece in enumerate(pieces):
        position += len(piece)
        if position > start:
            return i + 1
    raise ValueError(text)


def questions_of(strata, model, path, limit):
    """[(ids, answer token, positions)] of questions whose prompt fits into the context."""
    rows = []
    for article in json.loads(path.read_text())["data"]:
        for paragraph in article["paragraphs"]:
            qa = paragraph["qas"][0]
            prompt = f"Context: {paragraph['context']}\nQuestion: {qa['question']}\nAnswer:"
            rows.append((prompt, qa["question"], qa["answers"][0]))
    rows = [rows[i] for i in torch.randperm(len(rows), generator=torch.Generator().manual_seed(1))[:limit].tolist()]
    found = []
    prompts = tokenize(strata, model, [prompt for prompt, _, _ in rows])
    answered = tokenize(strata, model, [f"{prompt} {answer['text']}" for prompt, _, answer in rows])
    for (prompt, question, answer), tokens, told in zip(rows, prompts, answered):
        pieces = tokens["pieces"]
        shift = len("".join(pieces)) - len(prompt)  # a space that the tokenizer puts first
        asked = prompt.rindex("Question: ") + len("Question: ") + len(question[:-len(" ____")]) - 1
        name = len("Context: ") + answer["answer_start"]
        found.append({"ids": [1] + tokens["ids"], "answer": told["ids"][len(tokens["ids"]):], "word": places(pieces, prompt, asked + shift),
                      "name": places(pieces, prompt, name + shift), "before": places(pieces, prompt, name - 2 + shift)})
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strata", required=True)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--questions", required=True, type=pathlib.Path)
    parser.add_argument("--map", default=None)
    parser.add_argument("--limit", type=int, default=100)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    options = parser.parse_args()
    model = Llama(options.model)
    src = [int(s) for s in options.map.split(",")] if options.map else list(range(model.layers))
    questions = questions_of(options.strata, options.model, options.questions, options.limit)

    attention = {hop: torch.zeros(model.layers, model.heads) for hop in HOPS}
    right, lost = 0, {hop: [0] * model.layers for hop in HOPS}
    for q in questions:
        count = len(q["ids"])
        name = list(range(q["name"], min(q["name"] + len(q["answer"]), count)))
        asked = list(range(q["word"], count - 1))
        logits, seen = model.forward(q["ids"], src)
        hit = int(logits.argmax()) == q["answer"][0]
        right += hit
        for layer, weights in enumerate(seen):
            attention["word"][layer] += weights[:, q["name"], q["before"]]
            attention["asked"][layer] += weights[:, -1, asked].sum(-1)
            attention["name"][layer] += weights[:, -1, name].sum(-1)
            attention["question"][layer] += weights[:, q["word"], name].sum(-1)
        if not hit:
            continue
        blocked = {hop: torch.zeros(count, count).bool() for hop in HOPS}
        passage = torch.arange(1, q["word"] - 1)
        blocked["word"][passage, passage - 1] = True
        blocked["asked"][-1, asked] = True
        blocked["name"][-1, name] = True
        blocked["question"][asked[0]:count - 1, name[0]:name[-1] + 1] = True
        for hop, block in blocked.items():
            for layer in range(model.layers):
                logits, _ = model.forward(q["ids"], src, {layer: block})
                lost[hop][layer] += int(logits.argmax()) != q["answer"][0]
    strongest = {hop: (sums / len(questions)).max(-1).values.tolist() for hop, sums in attention.items()}
    report = {"model": str(options.model), "map": src, "questions": len(questions), "right": right, "attention": strongest,
              "lost_without": lost}
    options.out.write_text(json.dumps(report) + "\n")
    print(f"{right} of {len(questions)} right; strongest head, and answers lost without it\n")
    print("| layer | " + " | ".join(HOPS) + " |\n|" + "---|" * (len(HOPS) + 1))
    for layer in range(model.layers):
        print(f"| {layer} | " + " | ".join(f"{strongest[hop][layer]:.2f}, {lost[hop][layer]}" for hop in HOPS) + " |")


if __name__ == "__main__":
    main()
