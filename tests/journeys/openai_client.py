#!/usr/bin/env python3
"""openai_client.py STRATA MODEL: talks to `strata serve MODEL` with the openai package, as any program of its users would.

Needs `pip install openai`. Prints what was checked; exit code 77 where the package is missing.
"""
import json
import subprocess
import sys
import time

try:
    import openai
except ImportError:
    print("skipped: no openai package (pip install openai)")
    sys.exit(77)


def refused(call, kind, *words):
    try:
        call()
    except kind as error:
        for word in words:
            assert word in str(error), (word, str(error))
        return
    raise AssertionError(f"not refused as {kind.__name__}")


def check(url, token, name):
    client = openai.OpenAI(base_url=url, api_key=token, max_retries=0)
    assert [model.id for model in client.models.list()] == [name]
    assert client.models.retrieve(name).owned_by == "strata"
    ask = [{"role": "user", "content": "Lily has a red ball. What does Lily have?"}]

    whole = client.chat.completions.create(model=name, messages=ask, max_tokens=16, temperature=0)
    text = whole.choices[0].message.content
    assert whole.choices[0].finish_reason in ("stop", "length") and whole.usage.completion_tokens > 0
    print("whole:   ", repr(text), whole.usage.total_tokens, "tokens,", whole.strata)

    begun = time.monotonic()
    stream = client.chat.completions.create(model=name, messages=ask, max_completion_tokens=16, temperature=0, stream=True,
                                            stream_options={"include_usage": True})
    pieces, usage, first = [], None, None
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            first = first or time.monotonic() - begun
            pieces.append(chunk.choices[0].delta.content)
        usage = chunk.usage or usage
    assert "".join(pieces) == text and usage == whole.usage, ("".join(pieces), text)
    print(f"streamed: {len(pieces)} pieces, the first after {1000 * first:.0f} ms")

    mapped = client.chat.completions.create(model=name + "@stride:2", messages=ask, max_tokens=4, temperature=0)
    assert mapped.strata["map"] == "stride:2" and mapped.strata["kv_bytes"] < mapped.strata["kv_bytes_full"]
    assert mapped.system_fingerprint != whole.system_fingerprint
    plain = client.completions.create(model=name, prompt="Once upon a time", max_tokens=8, temperature=0, stop=["zzz"])
    print("text:    ", repr(plain.choices[0].text))
    twice = [client.chat.completions.create(model=name, messages=ask, max_tokens=12, temperature=1, seed=7) for _ in range(2)]
    assert twice[0].choices[0].message.content == twice[1].choices[0].message.content

    chat = client.chat.completions.create
    refused(lambda: chat(model="other", messages=ask), openai.NotFoundError, "other", name)
    refused(lambda: chat(model=name + "@0,2", messages=ask), openai.BadRequestError)
    refused(lambda: chat(model=name, messages=ask, n=2), openai.BadRequestError, "\"n\"")
    refused(lambda: chat(model=name, messages=ask, logprobs=True), openai.BadRequestError, "logprobs")
    refused(lambda: openai.OpenAI(base_url=url, api_key="wrong", max_retries=0).models.list(), openai.AuthenticationError)
    with chat(model=name, messages=ask, stream=True, extra_body={"ignore_eos": True}) as long:
        next(iter(long))  # leaving ends it
    print("refusals name their reasons; a stream that is left ends")


def main():
    strata, model = sys.argv[1:3]
    server = subprocess.Popen([strata, "serve", model, "--port", "0", "--json"], stdout=subprocess.PIPE, text=True)
    try:
        hello = json.loads(server.stdout.readline())
        check(hello["url"], hello["token"], hello["models"][0])
    finally:
        server.terminate()
    assert server.wait(10) == 0
    print("ok: openai", openai.__version__)


if __name__ == "__main__":
    main()
