#!/usr/bin/env python3
"""vllm_server_client.py: vLLM's OpenAI server on a folder that `strata export` wrote, asked by OpenAI's client and by
lm-evaluation-harness, beside Strata's own answers. Runs in .deps/interop of `packaging/setup --interop`, the server in
.deps/vllm; 77 where that is missing."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from support import PROGRAM, SAMPLE, VLLM_PYTHON, installed_wheel, strata, temporary_folder

import lm_eval_client
import openai

MAP = "retention:.5"
PROMPTS = ["It was late when", "The old man looked at", "She had never seen", "Once upon a time there was"]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def started(folder, model, port):
    log = open(folder / "log", "w", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": installed_wheel(folder), "VLLM_CPU_KVCACHE_SPACE": "1"}
    server = subprocess.Popen(
        [VLLM_PYTHON, "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--served-model-name", "half", "--port",
         str(port), "--host", "127.0.0.1", "--dtype", "float32", "--enforce-eager", "--max-model-len", "512",
         "--enable-tokenizer-info-endpoint"],
        stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=folder)
    until = time.monotonic() + 300
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
            return server
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    server.kill()
    raise AssertionError("vLLM's server did not start:\n" + (folder / "log").read_text()[-6000:])


def answers_of(url, token, name):
    """Completions, a chat's answer and a stream, as OpenAI's client gets them."""
    client = openai.OpenAI(base_url=url, api_key=token, max_retries=0)
    asked = {"model": name, "max_tokens": 24, "temperature": 0}
    answers = [client.completions.create(prompt=prompt, **asked).choices[0].text for prompt in PROMPTS]
    answers += [choice.text for choice in client.completions.create(prompt=PROMPTS, **asked).choices]
    pieces = client.completions.create(prompt=PROMPTS[0], stream=True, **asked)
    answers.append("".join(piece.choices[0].text for piece in pieces if piece.choices))
    for prompt in PROMPTS:
        chat = client.chat.completions.create(messages=[{"role": "user", "content": prompt}], **asked)
        answers.append(chat.choices[0].message.content.lstrip(" "))  # vLLM keeps the space after the template's last word
    return answers


def ask_both(url, model):
    assert [each.id for each in openai.OpenAI(base_url=url, api_key="none").models.list()] == ["half"]
    server = subprocess.Popen([PROGRAM, "serve", model, "--port", "0", "--dtype", "float32", "--json"],
                              stdout=subprocess.PIPE, text=True)
    try:
        hello = json.loads(server.stdout.readline())
        ours = answers_of(hello["url"], hello["token"], hello["models"][0])
    finally:
        server.terminate()
        server.wait(30)
    theirs = answers_of(url, "none", "half")
    for one, other in zip(theirs, ours, strict=True):
        assert one == other, (one, other)
    print(f"openai {openai.__version__}: {len(ours)} of {len(ours)} answers equal, such as {ours[0]!r} and {ours[-1]!r}")


def main():
    if not VLLM_PYTHON.exists():
        print("skipped: there is no .deps/vllm; packaging/setup --interop makes it")
        sys.exit(77)
    with temporary_folder() as place:
        folder = pathlib.Path(place)
        os.environ["HF_HOME"] = os.environ["HF_DATASETS_CACHE"] = str(folder / "cache")
        model, data = folder / "half", folder / "data"
        strata("export", SAMPLE, "--map", MAP, "--remote-code", model)
        data.mkdir()
        rows, texts = lm_eval_client.write_data(data)
        port = free_port()
        server = started(folder, model, port)
        try:
            url = f"http://127.0.0.1:{port}/v1"
            ask_both(url, model)
            hello = {"url": url, "token": "none", "models": ["half"]}
            lm_eval_client.check(lm_eval_client.Strata(PROGRAM, str(SAMPLE)), "half", MAP, hello, data, rows, texts, batch=8,
                                 served="half")
        finally:
            server.terminate()
            server.wait(60)
        assert "Strata: 6 of 12 layers keep keys and values" in (folder / "log").read_text()


if __name__ == "__main__":
    main()
