"""The command line of the subcommands. Imports nothing heavy."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from typing import Any, NoReturn

from chatglass.commands.flag_types import existing_file, mcp_file, tools_file
from chatglass.commands.names import COMMANDS
from chatglass.values.exit_codes import USAGE

_EXIT = "Exit codes: 0 done, 1 something failed, 2 wrong usage, 130 interrupted."


class CommandParser(argparse.ArgumentParser):
    """Names the nearest flag or word where one is unknown."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - it has overloads
        """Refuses what is unknown where it stands: the parser above knows none of these flags."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        known = [flag for action in self._actions for flag in action.option_strings]
        for action in self._actions:
            known += [str(choice) for choice in action.choices or ()]
        hints: list[str] = []
        for word in message.replace("'", " ").replace(":", " ").split():
            if word.split("=")[0] not in known:
                hints += difflib.get_close_matches(word.split("=")[0], known, n=1, cutoff=0.7)
        hint = f" Did you mean {' or '.join(dict.fromkeys(hints))}?" if hints else ""
        self.exit(USAGE, f"{self.prog}: {message}.{hint}\nSee {self.prog} --help.\n")


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """What `argv`, whose first word is one of `COMMANDS`, asks for. Exits with 2 on wrong usage."""
    parser = CommandParser(prog="chatglass", allow_abbrev=False)
    add_commands(parser.add_subparsers(dest="command", required=True, parser_class=CommandParser))
    found = parser.parse_args(_with_action(argv))
    if found.command == "export" and bool(found.ids) == found.all:
        parser.exit(USAGE, "chatglass export: give the ids of sessions, or --all for every one.\n")
    return found


def add_commands(commands: argparse._SubParsersAction[CommandParser]) -> None:  # pyright: ignore[reportPrivateUsage] - argparse has no other name for it
    """A parser for each of `COMMANDS`."""
    fill = {
        "sessions": _sessions,
        "export": _export,
        "import": _import,
        "mcp": _mcp,
        "tools": _tools,
        "usage": _usage,
        "prices": _prices,
        "serve": _serve,
        "store": _store,
        "completion": _completion,
        "man": _man,
    }
    for name, what in COMMANDS.items():
        fill[name](
            commands.add_parser(
                name, help=what, description=f"{what.capitalize()}.", epilog=_EXIT,
                allow_abbrev=False,
            )
        )  # fmt: skip


_LISTED_ALONE = ("sessions", "tools", "mcp")


def _with_action(argv: Sequence[str]) -> Sequence[str]:
    """`sessions`, `tools` and `mcp` alone, or with flags only, list them."""
    command, *rest = argv
    is_bare = not rest or (rest[0].startswith("-") and rest[0] not in ("-h", "--help"))
    return [command, "list", *rest] if command in _LISTED_ALONE and is_bare else argv


def _where(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-dir", metavar="DIR", help="the folder that holds the sessions")


def _sessions(parser: CommandParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, parser_class=CommandParser)

    def action(name: str, text: str) -> CommandParser:
        made = actions.add_parser(name, help=text, description=f"{text}.", allow_abbrev=False)
        made.add_argument("--json", action="store_true", help="print JSON")
        _where(made)
        return made

    listing = action("list", "List sessions, newest first")
    listing.add_argument("--limit", type=_count, default=None, metavar="N", help="N at the most")
    listing.add_argument("--here", action="store_true", help="only those of this directory")
    listing.add_argument("--archived", action="store_true", help="archived ones too")
    search = action("search", "Search titles, messages, tool calls and their results")
    search.add_argument("text", nargs="+", help="words, all of which must be there")
    search.add_argument("--limit", type=_count, default=200, metavar="N", help="N hits at the most")
    show = action("show", "Show the shown path of a session as text")
    show.add_argument("id", help="the id of a session, its beginning or its end")
    rename = action("rename", "Give a session another title")
    rename.add_argument("id", help="the id of a session, its beginning or its end")
    rename.add_argument("title", help="the new title")
    remove = action("rm", "Delete sessions with all that is theirs")
    remove.add_argument("ids", nargs="+", metavar="ID", help="ids, their beginnings or ends")
    remove.add_argument("-y", "--yes", action="store_true", help="don't ask")


def _export(parser: CommandParser) -> None:
    _where(parser)
    parser.add_argument("ids", nargs="*", metavar="ID", help="ids, their beginnings or ends")
    parser.add_argument("--all", action="store_true", help="every session, archived ones too")
    parser.add_argument(
        "--format",
        choices=("jsonl", "openai", "markdown", "html"),
        default="jsonl",
        help="jsonl (the default) has everything and can be imported again",
    )
    parser.add_argument(
        "-o", "--output", metavar="PATH", default="-",
        help="a file, or an existing folder for one file each; - or nothing: stdout",
    )  # fmt: skip


def _import(parser: CommandParser) -> None:
    _where(parser)
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="files, folders to look through, or - for stdin"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _mcp(parser: CommandParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, parser_class=CommandParser)

    def action(name: str, text: str) -> CommandParser:
        made = actions.add_parser(name, help=text, description=f"{text}.", allow_abbrev=False)
        made.add_argument(
            "--config", metavar="FILE", help="the settings file; mcp.json is beside it"
        )
        _where(made)
        return made

    for name, text in (("list", "List the servers"), ("test", "Start one and say what it offers")):
        made = action(name, text)
        made.add_argument("--json", action="store_true", help="print JSON")
        made.add_argument(
            "--mcp-config", metavar="PATH", type=mcp_file, action="append", default=[],
            help="servers of that file too (repeatable)",
        )  # fmt: skip
    made.add_argument("name", help="the name of the server")
    add = action("add", "Add a server: a command after --, or a URL")
    remove = action("remove", "Take a server out")
    for made in (add, remove):
        made.add_argument("name", help="the name of the server")
        made.add_argument(
            "--project", action="store_true", help="in ./.mcp.json instead of your own file"
        )
    add.add_argument("--type", choices=("stdio", "http", "sse"), help="how it is reached")
    add.add_argument("--env", metavar="NAME=VALUE", action="append", help="a variable it gets")
    add.add_argument("--header", metavar="'NAME: VALUE'", action="append", help="sent to a URL")
    add.add_argument("--cwd", metavar="DIR", help="the folder a command runs in")
    add.add_argument("--replace", action="store_true", help="also where there is one already")
    add.add_argument("words", metavar="COMMAND|URL", nargs="+", help="with its arguments")


def _tools(parser: CommandParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, parser_class=CommandParser)

    def action(name: str, text: str) -> CommandParser:
        made = actions.add_parser(name, help=text, description=f"{text}.", allow_abbrev=False)
        made.add_argument(
            "--tools", metavar="FILE.py", type=tools_file, action="append", default=[],
            help="the functions of that file too (repeatable)",
        )  # fmt: skip
        made.add_argument(
            "--mcp-config", metavar="PATH", type=mcp_file, action="append", default=[],
            help="the MCP servers of that file too (repeatable)",
        )  # fmt: skip
        made.add_argument(
            "--config", metavar="FILE", type=existing_file, help="read that settings file"
        )
        _where(made)
        return made

    listing = action("list", "List the tools, where they come from, and whether they ask")
    listing.add_argument("--json", action="store_true", help="print JSON, with the schemas")
    call = action("call", "Call a tool, without a question; its result goes to stdout")
    call.add_argument(
        "--json", action="store_true", help="print what an MCP server sent, whole, as JSON"
    )
    call.add_argument("name", help="the name of the tool")
    call.add_argument(
        "arguments", metavar="JSON", nargs="?", default="{}",
        help="its arguments as a JSON object, or - to read them from stdin",
    )  # fmt: skip


def _usage(parser: CommandParser) -> None:
    _where(parser)
    parser.add_argument(
        "--by",
        choices=("day", "model", "tool", "session"),
        default="day",
        help="what to sum by; day is the default",
    )
    parser.add_argument(
        "--since", type=_day, metavar="DAY", help="2025-03-09, today, yesterday, or 30d"
    )
    parser.add_argument("--until", type=_day, metavar="DAY", help="the last day that is meant")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--csv", action="store_true", help="print CSV")


def _day(text: str) -> object:
    from chatglass.spending.days import parse_day

    try:
        return parse_day(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _prices(parser: CommandParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, parser_class=CommandParser)
    show = actions.add_parser(
        "show", help="show what is known of a model", description="Show what is known of a model."
    )
    show.add_argument("model", metavar="MODEL", help="a name, such as gpt-5 or openrouter/NAME")
    show.add_argument("--json", action="store_true", help="print JSON")
    update = actions.add_parser(
        "update", help="fetch the newest list", description="Fetch the newest list of prices."
    )
    for made in (show, update):
        made.add_argument(
            "--config", metavar="FILE", type=existing_file, help="read that settings file"
        )
        _where(made)


def _serve(parser: CommandParser) -> None:
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="an address of this machine's own"
    )
    parser.add_argument(
        "--port", type=_port, default=8765, metavar="N", help="8765 is the default; 0: a free one"
    )
    parser.add_argument(
        "--sessions", type=_count, default=4, metavar="N", help="tabs at the most; 4 is the default"
    )
    parser.add_argument(
        "flags", nargs="*", metavar="-- FLAGS", help="flags of chatglass for every tab"
    )


def _completion(parser: CommandParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell it is for")


def _man(parser: CommandParser) -> None:
    """It takes nothing."""


def _port(text: str) -> int:
    if text.isdecimal() and int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to 65535")


def _store(parser: CommandParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, parser_class=CommandParser)
    check = actions.add_parser(
        "check", help="look for damage", description="Look for damage. Changes nothing."
    )
    check.add_argument("--json", action="store_true", help="print JSON")
    _where(check)
    backup = actions.add_parser(
        "backup", help="copy the store", description="Copy the store, also while it is in use."
    )
    backup.add_argument("path", metavar="PATH", help="the new file, or a folder to put it into")
    _where(backup)
    copy = actions.add_parser(
        "copy", help="copy all sessions to another store",
        description="Copy all sessions from one store to another, each with all that is its own. "
        "What is there already is not copied again. A store is a file, a folder that holds one, or "
        "redis://… or rediss://…; the password of a Redis may stand in $CHATGLASS_REDIS_PASSWORD.",
    )  # fmt: skip
    copy.add_argument("source", metavar="FROM", help="the store to read")
    copy.add_argument("target", metavar="TO", help="the store to write, made if it is not there")
    copy.add_argument("--json", action="store_true", help="print JSON")
    _where(copy)


def _count(text: str) -> int:
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
