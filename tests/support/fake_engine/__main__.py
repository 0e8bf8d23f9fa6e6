"""An engine without models for tests of the window: it speaks the protocol, answers from canned data, and misbehaves.

fake_engine FOLDER: each request is appended to FOLDER/log, one line of JSON. Files that a test puts into FOLDER:

mode         how it misbehaves; "MODE once" is read by one engine, which removes it. Modes: dies (at once),
             dies-after-start, banner (before the first message), silent (on `initialize`), refuses, other-version,
             no-cancel, stderr (50 MB of it), and those of BYTES: what it writes after `initialize` before it hangs
say          notifications to send, one line of JSON each; removed once they are sent
sides        the project's sides A and B, JSON
delay, load  seconds before `initialize` is answered; seconds that loading a model takes
context      tokens of the context (a word is a token); a million without the file
in_use, full, bad_page, upload_dies
             while it exists: the project is open elsewhere; the disk is full; only the first page of a chat can be read;
             the second piece of an upload ends the engine (once)
QUESTION, QUESTION.MODEL
             the answer to this question, of both sides or of one

It keeps chats in chats.json, jobs in jobs.json, data sets in data.json and uploads in uploads. A new method is one more function in METHODS.
Those in SLOW run in threads of their own and get the request's id, for progress and to see whether they are cancelled.
"""
import base64
import json
import os
import sys
import threading
import time

import chat
import wire
from wire import Refused, has, notify, path, read, send, send_bytes

HALF = b'Content-Length: 1000\r\n\r\n{"jsonrpc"'
BYTES = {"garbage": b"\x07" * 200_000, "bad-header": b"Content-Length: many\r\n\r\n{}", "half": HALF, "half-silent": HALF,
         "bad-json": wire.frame(b'{"jsonrpc": "2.0", '), "big": b"Content-Length: 99999999999\r\n\r\n", "hang": b""}
SAMPLE = "/projects/tiny-stories"
REF = {"adapter": "", "dtype": "", "device": "cpu", "context": 0}
SIDES = {"a": {"ref": {"model": "base", **REF}, "map": "full"}, "b": {"ref": {"model": "routed", **REF}, "map": "full"}}
JOB = {"id": "20261128-101500-aa", "kind": "train", "state": "done", "created": "2026-11-28T10:15:00Z",
       "title": "base on train.txt", "step": 240, "steps": 240}
opened = []  # folders of projects
served = []  # names of models


def read_mode():
    if not has("mode"):
        return "normal"
    with open(path("mode")) as file:
        words = file.read().split()
    if words[1:] == ["once"]:
        os.remove(path("mode"))
    return words[0]


mode = read_mode()


def flood_stderr():
    line = "e" * 199 + "\n"
    for _ in range(250):  # 50 MB
        sys.stderr.write(line * 1000)
    print("the last line", file=sys.stderr, flush=True)


def misbehave():
    """Once `initialize` is answered."""
    if mode == "stderr":
        threading.Thread(target=flood_stderr, daemon=True).start()
    if mode in BYTES:
        send_bytes(BYTES[mode])
        if mode == "half":
            os._exit(0)
        time.sleep(3600)


def initialize(_):
    if mode == "refuses":
        raise Refused("unsupported", "The engine speaks version 7 and not 1.")
    time.sleep(read("delay", 0))
    return {"protocolVersion": 2 if mode == "other-version" else 1, "version": "0.3.0", "host": "workstation",
            "home": "/home/ada", "pid": os.getpid(), "threads": 2,
            "devices": [{"name": "cpu", "description": "CPU, 2 threads", "memory_bytes": 16 << 30}]}


def cancel(params):
    found = params["id"] in wire.running
    if found:
        wire.cancelled.add(params["id"])
    return {"found": found}


def nothing(_):
    return {}


def open_project(params):
    if params["folder"] == "/missing":
        raise Refused("not_found", "There is no project in /missing: choose another folder, or make one there.", "/missing")
    if has("in_use"):
        raise Refused("busy", "Another engine has the project open; close its window.")
    opened.append(params["folder"] or SAMPLE)
    return {"folder": opened[-1], "name": "tiny-stories", "sample": opened[-1] == SAMPLE,
            "models": [{"name": "base", "path": "/models/base"}, {"name": "routed", "path": "/models/routed"}],
            **read("sides", SIDES)}


def set_launcher(params):
    if len(params["launcher"]) > 1000:
        raise Refused("usage", "The launcher must be one line of at most 1,000 bytes; give a shorter command.", "launcher")
    return {"folder": opened[-1], "name": "tiny-stories", "sample": opened[-1] == SAMPLE, "models": [], **params}


def list_models(_):
    models = [{"model": name, "name": name, "source": "project", "path": "/models/" + name,
               "architecture": "LlamaForCausalLM", "layers": 12} for name in ("base", "routed")]
    run = {"model": JOB["id"], "name": JOB["title"], "source": "run", "parent": "base"}
    adapter = {"model": "base", "adapter": "/adapters/squad", "name": "squad", "source": "adapter", "parent": "base",
               "path": "/adapters/squad"}
    return {"models": models + [run, adapter], "hub": "/hub"}


def sample_question(params):
    if not opened:
        raise Refused("not_found", "No project is open; open one first.")
    return {"text": "Who came late? (%d)" % params["seed"], "answers": ["Anne"], "number": params["seed"], "of": 100}


def stored_jobs():
    return read("jobs.json", {"kept": [JOB], "trash": []})


def list_jobs(params):
    jobs = stored_jobs()["trash" if params["trash"] else "kept"]
    return {"jobs": jobs[params["from"]:params["from"] + params["count"]], "total": len(jobs)}


def remove_job(params):
    jobs = stored_jobs()
    source, target = {"trash": ("kept", "trash"), "restore": ("trash", "kept"), "delete": ("trash", "")}[params["how"]]
    moved = [job for job in jobs[source] if job["id"] == params["id"]]
    jobs[source] = [job for job in jobs[source] if job not in moved]
    if target:
        jobs[target] += moved
    wire.write("jobs.json", jobs)


def annotate_job(params):
    jobs = stored_jobs()
    every = jobs["kept"] + jobs["trash"]
    if any(params.get("name") and job.get("name") == params["name"] and job["id"] != params["id"] for job in every):
        raise Refused("usage", "Another run is called \"%s\"; give another name." % params["name"], "name",
                      name="name_taken", arguments={"name": params["name"]})
    for job in every:
        if job["id"] == params["id"]:
            job.update({key: params[key] for key in ("name", "tags", "note") if params.get(key) is not None})
            wire.write("jobs.json", jobs)
            return job
    raise Refused("not_found", "The project has no run %s." % params["id"], params["id"], name="run_not_found",
                  arguments={"run": params["id"]})


def list_data(_):
    return {"files": read("data.json", [{"name": "train.txt", "path": "/projects/tiny-stories/train.txt"}])}


def add_data(params):
    files = [file for file in list_data({})["files"] if file["path"] != params["path"]]
    name = params["name"] or params["path"].rsplit("/", 1)[-1]
    wire.write("data.json", [{**params, "name": name, "added": True}] + files)
    return list_data({})


def remove_data(params):
    wire.write("data.json", [file for file in list_data({})["files"] if file["name"] != params["name"]])
    return list_data({})


def list_maps(_):
    return {"maps": read("maps.json", [])}


def read_job_log(_):
    return {"text": "step 1 loss 3.21\nstep 2 loss 3.17\n", "next": 34}


def list_files(params):
    return {"path": params["path"] or "/home/ada", "parent": "/home", "entries": [
        {"name": "models", "folder": True}, {"name": "llama", "folder": True, "model": True},
        {"name": "work", "folder": True, "project": True}, {"name": "notes.txt", "bytes": 12},
        {"name": "tiny.gguf", "bytes": 636043}]}


def put_file(params):
    if params["offset"] > 0 and has("upload_dies"):
        os.remove(path("upload_dies"))
        os._exit(9)
    target = path("uploads/" + params["name"])
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "ab" if params["offset"] > 0 else "wb") as file:
        assert file.tell() == params["offset"]
        file.write(base64.b64decode(params["data"]))
        return {"path": target, "bytes": file.tell()}


def start_serving(params):
    served.extend(ref["model"] for ref in params["models"] if ref["model"] not in served)
    state = {"on": True, "url": "http://127.0.0.1:%d/v1" % (params["port"] or 8123), "token": params["token"] or "made",
             "models": served}
    notify("serve/changed", state)
    return state


def stop_serving(_):
    served.clear()
    notify("serve/changed", {"on": False})
    return {"on": False}


METHODS = {
    "initialize": initialize, "shutdown": nothing, "cancel": cancel,
    "project/open": open_project, "project/set_sides": nothing,
    "project/set_launcher": set_launcher,
    "models/list": list_models, "models/inspect": chat.inspect, "models/unload": chat.unload,
    "project/set_template": chat.set_template,
    "chat/count": chat.count, "chat/sample_question": sample_question,
    "chats/list": chat.list_chats, "chats/open": chat.open_chat, "chats/put": chat.put_chat,
    "chats/remove": chat.remove_chat, "chats/export": chat.export_chat,
    "jobs/list": list_jobs, "jobs/log": read_job_log, "jobs/stop": nothing, "jobs/remove": remove_job,
    "jobs/watch": nothing, "jobs/annotate": annotate_job,
    "data/list": list_data, "data/add": add_data, "data/remove": remove_data,
    "maps/list": list_maps, "maps/put": nothing,
    "files/list": list_files, "files/put": put_file,
    "serve/start": start_serving, "serve/stop": stop_serving,
}
SLOW = {"models/load": chat.load, "chat/generate": chat.generate, "chat/compare": chat.compare}


def answer(number, function, *arguments):
    try:
        send({"id": number, "result": function(*arguments) or {}})
    except Refused as error:
        send({"id": number, "error": {"code": error.number, "message": str(error), "data": error.data}})
    except Exception as error:
        sys.excepthook(*sys.exc_info())
        send({"id": number, "error": {"code": -32603, "message": "The fake engine failed: %r" % error}})
    finally:
        wire.running.discard(number)


def serve(message):
    method, params = message["method"], message.get("params") or {}
    logged = {key: value for key, value in params.items() if key != "data"}  # of an upload: megabytes
    wire.append("log", json.dumps({"method": method, "params": logged}))
    if "id" not in message:  # a notification
        print("heard", method, json.dumps(params, separators=(",", ":")), file=sys.stderr, flush=True)
        return
    number = message["id"]
    if mode == "dies-after-start" and method != "initialize":
        os._exit(5)
    if (mode, method) in (("silent", "initialize"), ("no-cancel", "cancel")):
        return
    if method in SLOW:
        wire.running.add(number)
        threading.Thread(target=answer, args=(number, SLOW[method], params, number), daemon=True).start()
    elif method in METHODS:
        answer(number, METHODS[method], params)
    else:
        send({"id": number, "error": {"code": -32601, "message": "There is no method \"%s\" in the fake engine." % method}})
    if method == "initialize":
        misbehave()
    if method == "shutdown":
        os._exit(0)


def main():
    if mode == "dies":
        print("first line\nno more memory", file=sys.stderr, flush=True)
        os._exit(3)
    if mode == "banner":
        send_bytes(b"Welcome to gpu-box\nContent-Type is not a header here\n\n")
    threading.Thread(target=wire.say, daemon=True).start()
    while (message := wire.receive()) is not None:
        serve(message)
    os._exit(0)


main()
