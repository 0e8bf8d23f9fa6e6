"""The frames on standard input and output, and the files in FOLDER."""
import json
import os
import sys
import threading
import time

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
running = set()  # ids of the requests that are being answered in threads
cancelled = set()  # and of those that shall stop
_sending = threading.Lock()


class Refused(Exception):
    """The request is answered with this error."""

    def __init__(self, code, message, context="", **more):
        super().__init__(message)
        self.number = -32800 if code == "cancelled" else -32000
        self.data = {"code": code, "context": context, **more}


def path(name):
    return os.path.join(folder, name)


def has(name):
    return os.path.exists(path(name))


def read(name, default):
    """The JSON in a file; `default` if there is no such file."""
    if not has(name):
        return default
    with open(path(name)) as file:
        return json.load(file)


def write(name, value):
    """Replaces a file at once, so that a kill leaves the old or the new one."""
    part = path("%s.%d" % (name, os.getpid()))
    with open(part, "w") as file:
        file.write(json.dumps(value))
    os.rename(part, path(name))


def append(name, line):
    with open(path(name), "a") as file:
        file.write(line + "\n")


def frame(body):
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def send_bytes(data):
    with _sending:
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError:  # the window is gone
            os._exit(0)


def send(message):
    send_bytes(frame(json.dumps({"jsonrpc": "2.0", **message}).encode()))


def notify(method, params):
    send({"method": method, "params": params})


def receive():
    """The next message; None at the end of the input."""
    length = 0
    while True:
        line = sys.stdin.buffer.readline()
        if not line:
            return None
        if line.strip() == b"":
            return json.loads(sys.stdin.buffer.read(length))
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])


def say():
    """Sends the notifications that a test puts into FOLDER/say, one line of JSON each, then removes the file."""
    while True:
        if has("say"):
            with open(path("say")) as lines:
                for line in lines:
                    send(json.loads(line))
            os.remove(path("say"))
        time.sleep(0.01)
