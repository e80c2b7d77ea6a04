"""An MCP server of a few lines, over stdio, with a fault for each name: standard library only.

    python own_server.py [FAULT] [FILE]

FILE gets a line for what happened that the client can't see: `cancelled ID`, `child PID`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

FAULT = sys.argv[1] if len(sys.argv) > 1 else ""
NOTES = sys.argv[2] if len(sys.argv) > 2 else os.devnull
TEXT = {"type": "string"}
TOOLS: list[dict[str, Any]] = [
    {"name": "echo", "description": "Gives the text back.", "inputSchema": {
        "type": "object", "properties": {"text": TEXT}, "required": ["text"]},
     "annotations": {"readOnlyHint": True, "destructiveHint": False}},
    {"name": "fail", "description": "Fails.", "inputSchema": {"type": "object"}},
    {"name": "refuse", "description": "An error of the protocol.", "inputSchema": {"type": "object"}},
    {"name": "wait", "description": "Waits for ever, telling progress.",
     "inputSchema": {"type": "object"}},
    {"name": "big", "description": "A text of so many bytes.", "inputSchema": {
        "type": "object", "properties": {"bytes": {"type": "integer"}}, "required": ["bytes"]}},
    {"name": "image", "description": "An image.", "inputSchema": {"type": "object"}},
    {"name": "grow", "description": "Adds a tool.", "inputSchema": {"type": "object"}},
    {"name": "environment", "description": "Its variables.", "inputSchema": {"type": "object"}},
    {"name": "ask", "description": "Asks the user.", "inputSchema": {"type": "object"}},
    {"name": "sample", "description": "Asks the model.", "inputSchema": {"type": "object"}},
    {"name": "roots", "description": "Asks for the roots.", "inputSchema": {"type": "object"}},
    {"name": "die", "description": "Ends in mid-call.", "inputSchema": {"type": "object"}},
    {"name": "wrong_id", "description": "Answers another.", "inputSchema": {"type": "object"}},
    {"name": "surrogate", "description": "Half a pair.", "inputSchema": {"type": "object"}},
    {"name": "broken", "description": "No JSON.", "inputSchema": {"type": "object"}},
    {"name": "flood", "description": "Much progress.", "inputSchema": {"type": "object"}},
    {"name": "log", "description": "Logs.", "inputSchema": {"type": "object"}},
]  # fmt: skip
lock = threading.Lock()
waiting: dict[Any, Any] = {}


def write(text: str) -> None:
    with lock:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def send(**message: Any) -> None:
    write(json.dumps({"jsonrpc": "2.0", **message}))


def note(text: str) -> None:
    with open(NOTES, "a") as file:
        file.write(text + "\n")


def result(number: Any, *content: dict[str, Any], error: bool = False) -> None:
    send(id=number, result={"content": list(content), "isError": error})


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def ask_client(call: Any, method: str, params: dict[str, Any]) -> None:
    """The answer becomes the result of `call`."""
    number = f"server-{call}"
    waiting[number] = call
    send(id=number, method=method, params=params)


def call(number: Any, params: dict[str, Any]) -> None:
    given = params.get("arguments", {})
    match params["name"]:
        case "echo":
            result(number, text(given["text"]))
        case "fail":
            result(number, text("It went wrong."), error=True)
        case "refuse":
            send(id=number, error={"code": -32602, "message": "No such thing."})
        case "wait":
            token = params["_meta"]["progressToken"]
            send(method="notifications/progress",
                 params={"progressToken": token, "progress": 1, "total": 4, "message": "a quarter"})  # fmt: skip
            note(f"waits {number}")
        case "big":
            result(number, text("x" * given["bytes"]))
        case "image":
            result(number, text("Look:"),
                   {"type": "image", "data": "aGVsbG8=", "mimeType": "image/png"},
                   {"type": "resource_link", "uri": "file:///a.txt", "name": "a.txt"})  # fmt: skip
        case "grow":
            TOOLS.append({"name": "grown", "inputSchema": {"type": "object"}})
            send(method="notifications/tools/list_changed")
            result(number, text("grown"))
        case "environment":
            result(number, text(json.dumps(dict(os.environ))))
        case "ask":
            schema = {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "title": "Your name"},
                "colour": {"type": "string", "enum": ["red", "green"]}}}  # fmt: skip
            ask_client(number, "elicitation/create",
                       {"message": "Who are you?", "requestedSchema": schema})  # fmt: skip
        case "sample":
            ask_client(number, "sampling/createMessage", {"maxTokens": 10, "messages": [
                {"role": "user", "content": text("Say hello.")}]})  # fmt: skip
        case "roots":
            ask_client(number, "roots/list", {})
        case "die":
            sys.stderr.write("out of luck\n")
            os._exit(3)
        case "wrong_id":
            result(number + 1_000, text("for somebody else"))
        case "surrogate":
            halves = '[{"type":"text","text":"half \\ud83d and whole \\ud83d\\ude00"}]'
            write(f'{{"jsonrpc":"2.0","id":{number},"result":{{"content":{halves}}}}}')
        case "broken":
            write('{"jsonrpc":"2.0","id":%s,"result":{"content":[' % number)  # noqa: UP031
        case "flood":
            token = params["_meta"]["progressToken"]
            for step in range(1, 5_001):
                send(method="notifications/progress",
                     params={"progressToken": token, "progress": step, "total": 5_000})  # fmt: skip
            result(number, text("done"))
        case "log":
            sys.stderr.write("on stderr\n")
            sys.stderr.flush()
            send(method="notifications/message",
                 params={"level": "warning", "logger": "own", "data": "by the protocol"})  # fmt: skip
            result(number, text("logged"))
        case other:
            send(id=number, error={"code": -32602, "message": f"Unknown tool: {other}"})


_OLD_METHODS = ("ping", "logging/setLevel", "resources/templates/list")


def answer(message: dict[str, Any]) -> None:
    number, method = message.get("id"), message.get("method")
    if method is None:
        original = waiting.pop(number, None)
        if original is not None:
            given = message.get("result", message.get("error"))
            result(original, text(json.dumps(given)))
    elif method == "initialize":
        if FAULT == "silent":
            return
        send(id=number, result={
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {"tools": {"listChanged": True}, "prompts": {}, "resources": {},
                             "logging": {}},
            "serverInfo": {"name": "own", "version": "1.0"}, "instructions": "Be kind."})  # fmt: skip
        note(f"client {json.dumps(message['params']['capabilities'])}")
    elif method == "tools/list":
        # Two pages.
        if message.get("params", {}).get("cursor"):
            send(id=number, result={"tools": TOOLS[5:]})
        else:
            send(id=number, result={"tools": TOOLS[:5], "nextCursor": "5"})
    elif method == "tools/call":
        call(number, message["params"])
    elif method == "prompts/list":
        send(id=number, result={"prompts": [
            {"name": "greet", "arguments": [{"name": "who", "required": True}]}]})  # fmt: skip
    elif method == "prompts/get":
        who = message["params"]["arguments"]["who"]
        send(id=number, result={"messages": [
            {"role": "user", "content": text(f"Greet {who}.")}]})  # fmt: skip
    elif method == "resources/list":
        send(id=number, result={"resources": [{"uri": "own://a", "name": "a"}]})
    elif method == "resources/read":
        send(id=number, result={"contents": [{"uri": "own://a", "text": "the text of a"}]})
    elif method == "notifications/cancelled":
        note(f"cancelled {message['params']['requestId']}")
    elif number is not None:
        if FAULT == "strict" and method not in _OLD_METHODS:
            # As some old servers do with what they do not know.
            os._exit(1)
        send(id=number, result={}) if method == "logging/setLevel" else send(
            id=number, error={"code": -32601, "message": "Method not found"}
        )


def main() -> None:
    if FAULT == "ends":
        sys.stderr.write("the configuration is missing\n")
        sys.exit(7)
    if FAULT == "garbage":
        while True:
            write("Welcome to the server!")
    if FAULT == "says":
        sys.stderr.write(os.environ["SAY"] + "\n")
        sys.stderr.flush()
    if FAULT == "chatty":
        write("Welcome to the server!")
    if FAULT == "tree":
        child = subprocess.Popen(["sleep", "1000"])
        note(f"child {child.pid}")
        # And one that leaves the session, as daemons do.
        daemon = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        note(f"child {daemon.pid}")
        note(f"child {os.getpid()}")
    if FAULT == "stays":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        note(f"child {os.getpid()}")
    for line in sys.stdin:
        answer(json.loads(line))
    while FAULT in ("stays", "tree"):
        time.sleep(1)


main()
