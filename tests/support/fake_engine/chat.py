"""Models, their answers, and stored chats. What a question does is in what_to_say() and generate()."""
import base64
import json
import os
import struct
import threading
import time

from wire import Refused, append, cancelled, has, notify, path, read, write

HUGE = 1_000_000  # tokens of a context where FOLDER/context does not set it
loaded = []  # models
templates = {}  # of the project, by model
answering = set()  # ids of the requests whose answers are being made
ids = {}  # a token's id by its text
texts = {}  # and its text by the id
state = threading.Lock()


# Models and maps

def owners(map_name, layers):
    kind, _, value = map_name.partition(":")
    if kind == "full":
        return layers
    if kind == "even":
        return min(int(value), layers)
    if kind == "retention":
        return max(1, int(float(value) * layers + 0.5))
    if kind == "stride":
        return -(-layers // int(value))
    return len(set(map_name.split(",")))


def src_of(map_name, layers):
    kind, _, value = map_name.partition(":")
    count = owners(map_name, layers)
    kept = range(0, layers, int(value)) if kind == "stride" else [-(-i * layers // count) for i in range(count)]
    return [max(owner for owner in kept if owner <= layer) for layer in range(layers)]


def layers_of(ref):
    return 5 if ref["model"] == "tiny" else 12


def kv_bytes(map_name, layers):
    """Per token."""
    return 384 * owners(map_name, layers)


def hash_of(ref):
    return (ref["model"] * 64).encode().hex()[:64]


def template_of(ref):
    """The model "bare" has none of its own."""
    return templates.get(ref["model"], "" if ref["model"] == "bare" else "{{ messages }}")


def set_template(params):
    templates[params["ref"]["model"]] = params["text"]


def inspect(params):
    ref = params["ref"]
    layers = layers_of(ref)
    maps = ["full", "even:9", "stride:2", "stride:3", "stride:4"]
    return {
        "ref": ref, "name": ref["model"], "path": "/models/" + ref["model"], "architecture": "LlamaForCausalLM",
        "dtype": "bfloat16", "kv_dtype": "bfloat16", "layers": layers, "width": 288, "heads": 6, "kv_heads": 2,
        "head_dim": 48, "ffn": 768, "vocab": 3072, "parameters": 9_400_000, "bytes_on_disk": 18_800_000,
        "context": 1024, "kv_bytes_per_token": kv_bytes("full", layers), "default_map": "full",
        "tokenizer": "sentencepiece", "template_text": template_of(ref),
        "template_origin": "chat_template.jinja" if template_of(ref) else "built in: ChatML",
        "problem": "The model mute has no tokenizer; add tokenizer.json to its folder." if ref["model"] == "mute" else "",
        "maps": [{"map": name, "owners": owners(name, layers), "kv_bytes_per_token": kv_bytes(name, layers)}
                 for name in maps],
    }


def find_loaded(ref):
    return next((model for model in loaded if model["ref"] == ref), None)


def open_model(ref, number):
    """Takes the seconds in FOLDER/load, with progress. The model "deadly" ends the engine."""
    if ref["model"] == "deadly":
        os._exit(9)
    seconds = 0 if find_loaded(ref) else read("load", 0)
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        notify("progress", {"request": number, "stage": "Reading the weights of " + ref["model"],
                            "done": int(1000 * passed), "total": int(1000 * seconds)})
        time.sleep(min(0.1, seconds - passed))
        if number in cancelled:
            raise Refused("cancelled", "Loading the model was cancelled.")
    with state:
        model = find_loaded(ref)
        if model is None:
            model = {"ref": ref, "name": ref["model"], "hash": hash_of(ref), "dtype": "bfloat16", "device": "cpu",
                     "weight_bytes": 18_800_000, "context": 1024, "layers": layers_of(ref), "seconds": 0.1}
            loaded.append(model)
            notify("models/loaded", {"models": loaded})
    return model


def load(params, number):
    return open_model(params["ref"], number)


def unload(params):
    with state:
        loaded[:] = [model for model in loaded if model["ref"] != params["ref"]]
    notify("models/loaded", {"models": loaded})


# Answers

def id_of(token):
    with state:
        texts[ids.setdefault(token, len(ids) + 1)] = token
        return ids[token]


def tokens_of(text):
    """A word with the space before it is a token, as is each piece of 64 characters of a longer one."""
    tokens = []
    for i, word in enumerate(text.split(" ")):
        word = word if i == 0 else " " + word
        tokens += [word[k:k + 64] for k in range(0, len(word), 64)]
    return tokens


def prompt_tokens(turns):
    return sum(len(turn["content"].split()) for turn in turns) + 4


def count(params):
    turns, context = params["turns"], read("context", HUGE)
    questions = [i for i, turn in enumerate(turns) if turn["role"] == "user"]
    fitting = [drop for drop, i in enumerate(questions) if prompt_tokens(turns[i:]) < context]
    return {"tokens": prompt_tokens(turns), "context": context, "drop": fitting[0] if fitting else -1}


def what_to_say(question, side):
    """The text, and the seconds between two tokens."""
    for name in (question + "." + side["ref"]["model"], question):  # a file in FOLDER, for one side or for both
        if os.path.isfile(path(name)):
            with open(path(name), encoding="utf-8", newline="") as file:
                return file.read(), 0
    if question.startswith("echo "):
        return question[5:], 0
    if question == "slow":
        return " ".join("word%d" % i for i in range(2000)), 0.02
    if question == "flood":
        return " ".join("w%d" % (i % 97) for i in range(5000)), 0
    full = owners(side["map"], layers_of(side["ref"])) == layers_of(side["ref"])
    end = "the lantern on the table." if full else "a candle near the window."
    return "It was **late** when she lit " + end + " Nobody spoke for a while.", 0.002


def column(*numbers):
    return base64.b64encode(struct.pack("<%dd" % len(numbers), *numbers)).decode()


def train():
    """What a training job tells: 1,000 metric points a second, one a message, its progress, the memory."""
    begun = time.monotonic()
    for step in range(2500):
        notify("jobs/points", {"id": "run", "series": [{"name": "loss", "step": column(step), "tokens": column(8 * step),
                                                        "seconds": column(step / 1000),
                                                        "value": column(2 - step % 10 / 100)}]})
        if step % 100 == 0:
            notify("memory", {"device": "cpu", "weights": 1 << 24, "kv": step << 13, "other": 1 << 20, "total": 1 << 34})
        if step % 500 == 0:
            notify("jobs/changed", {"jobs": [{"id": "run", "kind": "train", "state": "running", "title": "base on train.txt",
                                              "created": "2026-11-28T12:00:00Z", "alive": True, "step": step,
                                              "steps": 5000, "seconds_left": 60, "loss": 2.0}]})
        time.sleep(max(0, begun + step / 1000 - time.monotonic()))


def generate(params, number):
    """Questions with a meaning: "echo TEXT", "slow", "flood" (2,000 tokens a second and a training job), "die" (in the
    middle of the answer), "fail", and the name of a file in FOLDER, which is the answer."""
    side, stream, turns = params["side"], params["stream"], params["turns"]
    question = turns[-1]["content"]
    prompt, context = prompt_tokens(turns), read("context", HUGE)
    if prompt >= context:
        raise Refused("usage", "The prompt has %d tokens and the context is %d; shorten the prompt or use a longer context."
                      % (prompt, context), "--context")
    open_model(side["ref"], number)
    if question == "fail":
        raise Refused("usage", "The conversation has 1,100 tokens, more than a context of 1,024 holds; start a new chat.")
    text, pause = what_to_say(question, side)
    flood = question == "flood"
    every = tokens_of(text)
    wanted = every if flood else every[:max(1, params["sampling"]["max-tokens"])]
    finish = "eos" if len(wanted) == len(every) else "length"
    if flood and stream.endswith("/a"):
        threading.Thread(target=train, daemon=True).start()
    with state:
        answering.add(number)
    shared = False
    made, sent = [], 0  # `sent` of them were streamed

    def stream_tokens():
        notify("chat/tokens", {"request": number, "stream": stream, "text": "".join(made[sent:]),
                               "ids": [id_of(token) for token in made[sent:]],
                               "kv_bytes_used": kv_bytes(side["map"], layers) * (prompt + len(made))})

    layers = layers_of(side["ref"])
    begun = streamed = time.monotonic()
    for i, token in enumerate(wanted):
        if number in cancelled:
            finish = "cancel"
            break
        if question == "die" and i == 6:
            os._exit(9)
        shared = shared or len(answering) > 1
        made.append(token)
        if pause:
            time.sleep(pause)
        if flood or time.monotonic() - streamed > 1 / 60:
            stream_tokens()
            sent, streamed = len(made), time.monotonic()
        if flood:
            time.sleep(max(0, begun + (i + 1) / 2000 - time.monotonic()))
    if sent < len(made):
        stream_tokens()
    with state:
        answering.discard(number)
    return {
        "text": "".join(made), "finish": finish, "ids": [id_of(token) for token in made],
        "made_by": {"model": side["ref"]["model"], "folder": "/models/" + side["ref"]["model"], "hash": hash_of(side["ref"]),
                    "adapter": side["ref"]["adapter"], "map": side["map"], "src": src_of(side["map"], layers),
                    "dtype": "bfloat16", "device": "cpu", "version": "0.3.0", "sampling": params["sampling"]},
        "prompt_tokens": prompt, "cached_tokens": 0, "context": 1024,
        "kv_bytes": kv_bytes(side["map"], layers) * 1024,
        "kv_bytes_used": kv_bytes(side["map"], layers) * (prompt + len(made)),
        "kv_bytes_full": kv_bytes("full", layers) * 1024,
        "first_token_s": 0.021, "prefill_s": 0.02, "decode_s": 0.0004 * len(made), "shared": shared,
        **mark_of("".join(made), params.get("expected", []))}


def mark_of(text, expected):
    right = float(text.strip() in expected)
    return {"mark": {"expected": expected, "exact": right, "f1": right}} if expected else {}


def compare(params, number):
    """Of an answer to the question "slow" 20 tokens a second."""
    tokens = []
    for i, token_id in enumerate(params["ids"]):
        if params["turns"][-1]["content"] == "slow":
            notify("progress", {"request": number, "stage": "Both sides read the answer", "done": i,
                                "total": len(params["ids"])})
            time.sleep(0.05)
        if number in cancelled:
            raise Refused("cancelled", "The comparison was cancelled.")
        text = texts.get(token_id, "")
        tokens.append({"text": text, "kl": [0.0, 0.02, 0.05, 0.2, 0.6][i % 5],
                       "a": [{"text": text, "probability": 0.81}, {"text": " a", "probability": 0.09}],
                       "b": [{"text": " other", "probability": 0.5}, {"text": text, "probability": 0.3}]})
    return {"tokens": tokens, "mean_kl": sum(token["kl"] for token in tokens) / max(1, len(tokens))}


# Stored chats, in FOLDER/chats.json

chats = read("chats.json", {"c1": {"info": {"id": "c1", "title": "It was late", "trashed": True}, "messages": {}}})


def find_chat(chat_id):
    if chat_id not in chats:
        raise Refused("not_found", "It is not there.")
    return chats[chat_id]


def list_chats(params):
    found = [chat for chat in chats.values() if chat["info"].get("trashed", False) == params["trash"]
             and params["search"].lower() in json.dumps(chat).lower()]
    return {"chats": [chat["info"] for chat in reversed(found)]}


def open_chat(params):
    """Whole turns, up to 256 KiB. While FOLDER/bad_page exists, only the first page can be read."""
    chat = find_chat(params["id"])
    if params["from_turn"] > 0 and has("bad_page"):
        raise Refused("not_found", "It is not there.")
    page, size = [], 0
    for one in sorted(chat["messages"].values(), key=lambda one: (one["turn"], one["role"] != "user", one["role"])):
        if one["turn"] < params["from_turn"]:
            continue
        if size > 256 * 1024 and one["role"] == "user":
            return {"chat": chat["info"], "messages": page, "next_turn": one["turn"]}
        page.append(one)
        size += len(json.dumps(one))
    return {"chat": chat["info"], "messages": page, "next_turn": -1}


def put_chat(params):
    """The ids of stored messages go to FOLDER/stored, one a line. The message "poison" ends the engine."""
    if has("full"):
        raise Refused("disk_full", "The disk is full: project.sqlite could not be written; free some space.")
    if any(message["text"] == "poison" for message in params["messages"]):
        os._exit(6)
    chat_id = params["chat"]["id"]
    chat = chats.setdefault(chat_id, {"messages": {}})
    chat["info"] = {**params["chat"], "updated": "2026-11-28T10:15:00Z", "created": "2026-11-28T10:00:00Z"}
    if params["drop_from_turn"] >= 0:
        dropped = {key: one for key, one in chat["messages"].items() if one["turn"] >= params["drop_from_turn"]}
        chats[chat_id + "-replaced"] = {"info": {**chat["info"], "trashed": True}, "messages": dropped}
        for key in dropped:
            del chat["messages"][key]
    for message in params["messages"]:
        chat["messages"][message["id"]] = message
    write("chats.json", chats)
    for message in params["messages"]:
        append("stored", message["id"])


def remove_chat(params):
    find_chat(params["id"])["info"]["trashed"] = params["how"] == "trash"
    if params["how"] == "delete":
        del chats[params["id"]]
    write("chats.json", chats)


def export_chat(params):
    return {"text": "# " + find_chat(params["id"])["info"]["title"] + "\n"}
