#!/usr/bin/env python3
"""An engine without models for the tests of the chat page: it speaks the protocol, and the question says what it does.

fake_chat_engine.py FOLDER: chats are kept in FOLDER/chats.json, each request is appended to FOLDER/log as a line of JSON.
FOLDER/sides, where there is one, holds the sides as JSON; FOLDER/delay the seconds before `initialize` is answered;
FOLDER/context the tokens of the context (a word is a token), else a million. While there is FOLDER/bad_page, no page of a chat but the
first can be read; FOLDER/full: the disk is full; FOLDER/in_use: the project is open elsewhere.
"""
import json
import os
import sys
import threading
import time

folder = sys.argv[1]
lock = threading.Lock()
state = threading.Lock()
cancelled = set()
running = set()
loaded = []
words = {}  # a token's id by its text
texts = {}  # and the other way


def path(name):
    return os.path.join(folder, name)


def read(name, default):
    if not os.path.exists(path(name)):
        return default
    with open(path(name)) as file:
        return json.load(file)


def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    with lock:
        sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        sys.stdout.buffer.flush()


def notify(method, params):
    send({"method": method, "params": params})


def ids_of(tokens):
    with state:
        for token in tokens:
            words.setdefault(token, len(words) + 1)
            texts.setdefault(words[token], token)
        return [words[token] for token in tokens]


def text_of(token_id):
    with state:
        return texts.get(token_id, "")


def tokens_of(text):
    """A word with the space before it is a token, as is each piece of 64 characters of a longer one."""
    tokens = []
    for i, word in enumerate(text.split(" ")):
        word = word if i == 0 else " " + word
        tokens += [word[k:k + 64] for k in range(0, len(word), 64)] or [""]
    return [token for token in tokens if token]


def owners(name, layers):
    if name == "full":
        return layers
    if name.startswith("retention:"):
        return max(1, int(float(name.split(":")[1]) * layers + 0.5))
    if name.startswith("stride:"):
        return -(-layers // int(name.split(":")[1]))
    return len(set(name.split(",")))


def src_of(name, layers):
    count = owners(name, layers)
    if name.startswith("stride:"):
        kept = list(range(0, layers, int(name.split(":")[1])))
    else:
        kept = [-(-i * layers // count) for i in range(count)]
    return [max(owner for owner in kept if owner <= layer) for layer in range(layers)]


def layers_of(ref):
    return 5 if ref["model"] == "tiny" else 12


def hash_of(ref):
    return (ref["model"] * 64).encode().hex()[:64]


def card(ref):
    layers = layers_of(ref)
    return {
        "ref": ref, "name": ref["model"], "path": "/models/" + ref["model"], "architecture": "LlamaForCausalLM",
        "dtype": "bfloat16", "kv_dtype": "bfloat16", "layers": layers, "context": 1024, "bytes_on_disk": 18800000,
        "kv_bytes_per_token": 384 * layers, "default_map": "full", "tokenizer": "sentencepiece",
        "problem": "The model mute has no tokenizer; add tokenizer.json to its folder." if ref["model"] == "mute" else "",
    }


def open_model(number, ref):
    if any(model["ref"] == ref for model in loaded):
        return next(model for model in loaded if model["ref"] == ref)
    steps = 40 if ref["model"] == "slow" else 0
    for step in range(steps):
        notify("progress", {"request": number, "stage": "Reading the weights of slow", "done": step, "total": steps})
        time.sleep(0.1)
        if number in cancelled:
            return None
    model = {"ref": ref, "name": ref["model"], "hash": hash_of(ref), "dtype": "bfloat16", "device": "cpu",
             "weight_bytes": 18800000, "context": 1024, "layers": layers_of(ref), "seconds": 0.1}
    loaded.append(model)
    notify("models/loaded", {"models": loaded})
    return model


def what_to_say(question, side):
    """Text, and seconds between tokens."""
    for name in (question + "." + side["ref"]["model"], question):  # a file of the test's, of one side or of both
        if os.path.exists(path(name)):
            with open(path(name), encoding="utf-8", newline="") as file:
                return file.read(), 0
    if question.startswith("echo "):
        return question[5:], 0
    if question == "slow":
        return " ".join("word%d" % i for i in range(2000)), 0.02
    if question == "flood":
        return " ".join("w%d" % (i % 97) for i in range(5000)), 0
    halved = owners(side["map"], 12) < 12
    end = "the lantern on the table." if not halved else "a candle near the window."
    return "It was **late** when she lit " + end + " Nobody spoke for a while.", 0.002


def train():
    """What a training job tells: 1,000 metric points a second, its progress, the memory."""
    begun = time.monotonic()
    for tick in range(250):
        points = [{"step": 10 * tick + i, "name": "loss", "value": 2.0 - i / 100} for i in range(10)]
        notify("jobs/points", {"id": "run", "points": points})
        if tick % 10 == 0:
            notify("memory", {"device": "cpu", "weights": 1 << 24, "kv": tick << 16, "other": 1 << 20, "total": 1 << 34})
        if tick % 50 == 0:
            notify("jobs/changed", {"jobs": [{"id": "run", "kind": "train", "state": "running", "title": "base on train.txt",
                                              "created": "2026-11-28T10:00:00Z", "alive": True, "step": 10 * tick,
                                              "steps": 5000, "seconds_left": 60, "loss": 2.0}]})
        time.sleep(max(0, begun + (tick + 1) / 100 - time.monotonic()))


def prompt_tokens(turns):
    return sum(len(turn["content"].split()) for turn in turns) + 4


def count(params):
    turns, context = params["turns"], read("context", 1000000)
    users = [i for i, turn in enumerate(turns) if turn["role"] == "user"]
    rest = [turns[i:] for i in users]
    fitting = [i for i, kept in enumerate(rest) if prompt_tokens(kept) < context]
    return {"tokens": prompt_tokens(turns), "context": context, "drop": fitting[0] if fitting else -1}


def generate(number, params):
    side, stream = params["side"], params["stream"]
    question = params["turns"][-1]["content"]
    if prompt_tokens(params["turns"]) >= read("context", 1000000):
        message = "The prompt has %d tokens and the context is %d; shorten the prompt or use a longer context." % (
            prompt_tokens(params["turns"]), read("context", 1000000))
        return send({"id": number, "error": {"code": -32000, "message": message,
                                             "data": {"code": "usage", "context": "--context"}}})
    if open_model(number, side["ref"]) is None:
        return send({"id": number, "error": {"code": -32800, "message": "Opening was stopped."}})
    if question == "fail":
        message = "The conversation has 1,100 tokens, more than a context of 1,024 holds; start a new chat."
        return send({"id": number, "error": {"code": -32000, "message": message, "data": {"code": "usage"}}})
    text, pause = what_to_say(question, side)
    tokens = tokens_of(text)[:max(1, params["sampling"]["max-tokens"])] if question != "flood" else tokens_of(text)
    finish = "eos" if len(tokens) == len(tokens_of(text)) else "length"
    with state:
        running.add(number)
    shared = False
    if question == "flood" and stream.endswith("/a"):
        threading.Thread(target=train, daemon=True).start()
    made, pending, sent = [], "", time.monotonic()
    begun = time.monotonic()
    for i, token in enumerate(tokens):
        if number in cancelled:
            finish = "cancel"
            break
        if question == "die" and i == 6:
            os._exit(9)
        shared = shared or len(running) > 1
        made.append(token)
        pending += token
        if pause:
            time.sleep(pause)
        if question == "flood":
            notify("chat/tokens", {"request": number, "stream": stream, "text": token, "ids": []})
            pending = ""
            ahead = (i + 1) / 2000 - (time.monotonic() - begun)
            if ahead > 0:
                time.sleep(ahead)
        elif time.monotonic() - sent > 1 / 60:
            notify("chat/tokens", {"request": number, "stream": stream, "text": pending, "ids": []})
            pending, sent = "", time.monotonic()
    if pending:
        notify("chat/tokens", {"request": number, "stream": stream, "text": pending, "ids": []})
    with state:
        running.discard(number)
    layers = layers_of(side["ref"])
    prompt = sum(len(turn["content"].split()) for turn in params["turns"]) + 4
    seconds = 0.0004 * len(made)
    send({"id": number, "result": {
        "text": "".join(made), "finish": finish, "ids": ids_of(made),
        "made_by": {"model": side["ref"]["model"], "folder": "/models/" + side["ref"]["model"], "hash": hash_of(side["ref"]),
                    "adapter": side["ref"]["adapter"], "map": side["map"], "src": src_of(side["map"], layers),
                    "dtype": "bfloat16", "device": "cpu", "version": "0", "sampling": params["sampling"]},
        "prompt_tokens": prompt, "cached_tokens": 0, "context": 1024,
        "kv_bytes": 384 * owners(side["map"], layers) * 1024,
        "kv_bytes_used": 384 * owners(side["map"], layers) * (prompt + len(made)),
        "kv_bytes_full": 384 * layers * 1024,
        "first_token_s": 0.021, "prefill_s": 0.02, "decode_s": seconds, "shared": shared}})


def compare(number, params):
    tokens = []
    for i, token_id in enumerate(params["ids"]):
        if params["turns"][-1]["content"] == "slow":
            notify("progress", {"request": number, "stage": "Both sides read the answer", "done": i, "total": len(params["ids"])})
            time.sleep(0.05)
        if number in cancelled:
            return send({"id": number, "error": {"code": -32800, "message": "The comparison was stopped."}})
        text = text_of(token_id)
        kl = [0.0, 0.02, 0.05, 0.2, 0.6][i % 5]
        tokens.append({"text": text, "kl": kl,
                       "a": [{"text": text, "probability": 0.81}, {"text": " a", "probability": 0.09}],
                       "b": [{"text": " other", "probability": 0.5}, {"text": text, "probability": 0.3}]})
    mean = sum(token["kl"] for token in tokens) / max(1, len(tokens))
    send({"id": number, "result": {"tokens": tokens, "mean_kl": mean}})


def put(params):
    chats = read("chats.json", {})
    chat = chats.setdefault(params["chat"]["id"], {"info": {}, "messages": {}})
    chat["info"] = {**params["chat"], "updated": "2026-11-28T10:15:00Z", "created": "2026-11-28T10:00:00Z"}
    if params["drop_from_turn"] >= 0:
        dropped = {key: one for key, one in chat["messages"].items() if one["turn"] >= params["drop_from_turn"]}
        chats[params["chat"]["id"] + "-replaced"] = {"info": {**chat["info"], "trashed": True}, "messages": dropped}
        for key in dropped:
            del chat["messages"][key]
    for message in params["messages"]:
        chat["messages"][message["id"]] = message
    with open(path("chats.new"), "w") as file:
        file.write(json.dumps(chats))
    os.rename(path("chats.new"), path("chats.json"))


def chats_call(method, params):
    chats = read("chats.json", {})
    if method == "chats/list":
        search = params["search"].lower()
        found = [chat for chat in chats.values() if bool(chat["info"].get("trashed")) == params["trash"]
                 and search in json.dumps(chat).lower()]
        return {"chats": [chat["info"] for chat in reversed(found)]}
    if method == "chats/put":
        put(params)
        return {}
    chat = chats.get(params["id"])
    if chat is None:
        return None
    if method == "chats/open":
        if params["from_turn"] > 0 and os.path.exists(path("bad_page")):
            return None
        messages = sorted(chat["messages"].values(), key=lambda one: (one["turn"], one["role"] != "user", one["role"]))
        page, size = [], 0
        for one in messages:  # whole turns, up to 256 KiB
            if one["turn"] < params["from_turn"]:
                continue
            if size > 256 * 1024 and one["role"] == "user":
                return {"chat": chat["info"], "messages": page, "next_turn": one["turn"]}
            page.append(one)
            size += len(json.dumps(one))
        return {"chat": chat["info"], "messages": page, "next_turn": -1}
    if method == "chats/remove":
        chat["info"]["trashed"] = params["how"] == "trash"
        with open(path("chats.json"), "w") as file:
            file.write(json.dumps(chats))
        return {}
    return {"text": "# " + chat["info"]["title"] + "\n"}  # chats/export


def answer(method, number, params):
    ref = {"adapter": "", "dtype": "", "device": "cpu", "context": 0}
    if method == "initialize":
        time.sleep(read("delay", 0))
        return {"protocolVersion": 1, "version": "0", "host": "test", "home": "/home/test", "pid": os.getpid(), "threads": 2,
                "devices": []}
    if method == "project/open":
        sides = read("sides", {"a": {"ref": {"model": "base", **ref}, "map": "full"},
                               "b": {"ref": {"model": "routed", **ref}, "map": "full"}})
        return {"folder": "/project", "name": "project", "sample": True, "models": [], **sides}
    if method == "models/inspect":
        return card(params["ref"])
    if method == "models/load":
        return open_model(number, params["ref"])
    if method == "chat/sample_question":
        return {"text": "Who lit the lantern?", "answers": ["she"], "number": 3, "of": 400}
    if method == "chat/count":
        return count(params)
    if method.startswith("chats/"):
        return chats_call(method, params)
    if method == "cancel":
        cancelled.add(params["id"])
        return {"found": True}
    return {}


def serve(message):
    method, number, params = message["method"], message.get("id"), message.get("params") or {}
    if method == "chat/generate":
        return generate(number, params)
    if method == "chat/compare":
        return compare(number, params)
    refusals = {("project/open", "in_use"): ("busy", "Another engine has the project open; close its window."),
                ("chats/put", "full"): ("disk_full", "The disk is full: project.sqlite could not be written; free some space.")}
    refused = [why for (name, file), why in refusals.items() if name == method and os.path.exists(path(file))]
    result = None if refused else answer(method, number, params)
    if result is None:
        code, sentence = refused[0] if refused else ("not_found", "It is not there.")
        send({"id": number, "error": {"code": -32000, "message": sentence, "data": {"code": code}}})
    else:
        send({"id": number, "result": result})


def main():
    while True:
        length = 0
        while True:
            line = sys.stdin.buffer.readline()
            if not line:
                os._exit(0)
            if line.strip() == b"":
                break
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message = json.loads(sys.stdin.buffer.read(length))
        with open(path("log"), "a") as log:
            log.write(json.dumps(message) + "\n")
        if "id" not in message:  # a notification is not answered
            continue
        if message["method"] in ("chat/generate", "chat/compare", "models/load"):
            threading.Thread(target=serve, args=(message,), daemon=True).start()
        else:
            serve(message)
        if message["method"] == "shutdown":
            os._exit(0)


main()
