#!/usr/bin/env python3
"""Speaks the engine's protocol from canned answers, so that the frame is tested without LibTorch.

fake_engine.py LOG: each request is appended to LOG as one line of JSON. A file LOG.say, once it appears, is read as lines
of JSON: each is sent as a notification, then the file is removed. Uploads go to the folder LOG.uploads; where there is a
file LOG.die, the second piece of one kills the engine, once. While there is a file LOG.taken, no project can be opened.
"""
import base64
import json
import os
import sys
import threading
import time

log = sys.argv[1]
trash = log + ".trash"  # there while the job lies in the trash, whatever engine runs
lock = threading.Lock()
opened = []


def send(message):
    body = json.dumps(message).encode()
    with lock:
        sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        sys.stdout.buffer.flush()


def notifications():
    while True:
        if os.path.exists(log + ".say"):
            with open(log + ".say") as lines:
                for line in lines:
                    send({"jsonrpc": "2.0", **json.loads(line)})
            os.remove(log + ".say")
        time.sleep(0.01)


def ref(model):
    return {"model": model, "adapter": "", "dtype": "", "device": "cpu", "context": 0}


def card(asked):
    return {
        "ref": asked, "name": asked["model"], "path": "/models/" + asked["model"], "architecture": "LlamaForCausalLM",
        "dtype": "bfloat16", "kv_dtype": "bfloat16", "layers": 12, "width": 288, "heads": 6, "kv_heads": 2, "head_dim": 48,
        "ffn": 768, "vocab": 3072, "parameters": 9_400_000, "bytes_on_disk": 18_800_000, "context": 1024,
        "kv_bytes_per_token": 4608, "default_map": "full", "tokenizer": "sentencepiece",
        "maps": [{"map": m, "owners": o, "kv_bytes_per_token": 384 * o}
                 for m, o in [("full", 12), ("even:9", 9), ("stride:2", 6), ("stride:3", 4), ("stride:4", 3)]],
    }


PROJECT = {
    "folder": "/projects/tiny-stories", "name": "tiny-stories", "sample": True,
    "models": [{"name": "base", "path": "/models/base"}, {"name": "routed", "path": "/models/routed"}],
    "a": {"ref": ref("base"), "map": "full"}, "b": {"ref": ref("routed"), "map": "full"},
}
JOBS = [
    {"id": "20261128-101500-aa", "kind": "train", "state": "done", "created": "2026-11-28T10:15:00Z",
     "title": "base on train.txt", "step": 240, "steps": 240},
]


def answer(method, params):
    if method == "initialize":
        return {"protocolVersion": 1, "version": "0.3.0", "host": "workstation", "home": "/home/ada", "pid": os.getpid(),
                "threads": 2, "devices": [{"name": "cpu", "description": "CPU, 2 threads", "memory_bytes": 16 << 30}]}
    if method == "project/open":
        if params["folder"] == "/missing":
            raise FileNotFoundError("There is no project in /missing: choose another folder, or make one there.")
        if os.path.exists(log + ".taken"):
            raise FileNotFoundError("Another process has the project open.")
        opened.append(params["folder"])
        return {**PROJECT, "folder": params["folder"] or PROJECT["folder"]}
    if method == "models/inspect":
        return card(params["ref"])
    if method == "models/list":
        return {"models": [{"model": name, "name": name, "source": "project", "path": "/models/" + name,
                            "architecture": "LlamaForCausalLM", "layers": 12} for name in ("base", "routed")] +
                [{"model": JOBS[0]["id"], "name": "base on train.txt", "source": "run", "parent": "base"},
                 {"model": "base", "adapter": "/adapters/squad", "name": "squad", "source": "adapter", "parent": "base",
                  "path": "/adapters/squad"}], "hub": "/hub"}
    if method == "jobs/list":
        there = not os.path.exists(trash + ".deleted")
        return {"jobs": JOBS if there and os.path.exists(trash) == params["trash"] else []}
    if method == "jobs/remove":
        if params["how"] == "trash":
            open(trash, "w").close()
        else:
            os.rename(trash, trash + (".deleted" if params["how"] == "delete" else ".restored"))
    if method == "files/put":
        path = log + ".uploads/" + params["name"]
        if params["offset"] > 0 and os.path.exists(log + ".die"):
            os.remove(log + ".die")
            os._exit(9)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab" if params["offset"] > 0 else "wb") as file:
            assert file.tell() == params["offset"]
            file.write(base64.b64decode(params["data"]))
            return {"path": path, "bytes": file.tell()}
    if method == "jobs/log":
        return {"text": "step 1 loss 3.21\nstep 2 loss 3.17\n", "next": 34}
    if method == "files/list":
        return {"path": params["path"] or "/home/ada", "parent": "/home", "entries": [
            {"name": "models", "folder": True}, {"name": "llama", "folder": True, "model": True},
            {"name": "work", "folder": True, "project": True}, {"name": "notes.txt", "bytes": 12}]}
    if method == "chats/list":
        return {"chats": [{"id": "c1", "title": "It was late", "trashed": True}] if params["trash"] else []}
    if method == "chat/sample_question":
        if not opened:
            raise FileNotFoundError("No project is open; open one first.")
        return {"text": "Who came late? (%d)" % params["seed"], "answers": ["Anne"], "number": params["seed"], "of": 100}
    return {}


threading.Thread(target=notifications, daemon=True).start()
while True:
    length = 0
    while True:
        line = sys.stdin.buffer.readline()
        if not line:
            sys.exit(0)
        if line.strip() == b"":
            break
        name, value = line.split(b":", 1)
        if name.lower() == b"content-length":
            length = int(value)
    request = json.loads(sys.stdin.buffer.read(length))
    with open(log, "a") as file:
        params = {key: value for key, value in (request.get("params") or {}).items() if key != "data"}
        file.write(json.dumps({"method": request["method"], "params": params}) + "\n")
    if "id" not in request:
        continue
    try:
        send({"jsonrpc": "2.0", "id": request["id"], "result": answer(request["method"], request.get("params"))})
    except FileNotFoundError as error:
        send({"jsonrpc": "2.0", "id": request["id"],
              "error": {"code": -32000, "message": str(error), "data": {"code": "not_found", "context": "/missing"}}})
