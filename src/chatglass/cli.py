"""The command line: flags in, an exit code (`values.exit_codes`) out. Imports nothing heavy."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from typing import NoReturn

from chatglass.commands.flag_types import (
    count,
    dollars,
    existing_file,
    mcp_file,
    seconds,
    tools_file,
)
from chatglass.commands.names import COMMANDS
from chatglass.config.options import Options
from chatglass.values.exit_codes import USAGE, exit_code_lines

_COMMANDS = "\n".join(f"  {name:12}{what}" for name, what in COMMANDS.items())
_EPILOG = f"""\
commands (chatglass COMMAND --help says more):
{_COMMANDS}

Without -p the full screen opens. With no endpoint configured it talks to a built-in demo model,
which needs no key and costs nothing.

exit codes:
{exit_code_lines()}
"""


_NEAR = 0.7
"""How like a command a word must be to be taken for one that was mistyped."""


class _Parser(argparse.ArgumentParser):
    """Names the nearest flag where one is unknown."""

    def error(self, message: str) -> NoReturn:
        flags = [flag for action in self._actions for flag in action.option_strings]
        hints: list[str] = []
        # What else is wrong names the right flag itself.
        unknown = message.partition("unrecognized arguments:")[2]
        for word in unknown.split():
            near = flags if word.startswith("-") else list(COMMANDS)
            cutoff = 0.5 if word.startswith("-") else _NEAR
            hints += difflib.get_close_matches(word.split("=")[0], near, n=1, cutoff=cutoff)
        hint = f" Did you mean {' or '.join(dict.fromkeys(hints))}?" if hints else ""
        self.exit(USAGE, f"{self.prog}: {message}.{hint}\nSee {self.prog} --help.\n")


def build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="chatglass",
        description="A full-screen terminal chat for language models in which nothing is hidden.",
        epilog=_EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    models = parser.add_argument_group("endpoint and model")
    models.add_argument("--demo", action="store_true", help="talk to the built-in demo model")
    models.add_argument(
        "--base-url", metavar="URL", help="an OpenAI-compatible server, up to and with /v1"
    )
    models.add_argument("--model", metavar="NAME", help="the model to start with")
    models.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        help="give up on a server that has not begun to answer (300; [timeouts] in the settings)",
    )
    session = parser.add_argument_group("session")
    session.add_argument(
        "-c",
        "--continue",
        dest="continue_newest",
        action="store_true",
        help="go on with the newest session of this directory",
    )
    session.add_argument(
        "-r",
        "--resume",
        metavar="ID",
        nargs="?",
        const="",
        help="go on with that session; without an id, choose from the list",
    )
    session.add_argument("--system-prompt", metavar="TEXT", help="the system prompt of the session")
    session.add_argument(
        "--max-cost",
        metavar="USD",
        type=dollars,
        help="ask before this start spends more (with -p: stop, exit code 3)",
    )
    session.add_argument("--no-save", action="store_true", help="keep nothing on disk")
    tools = parser.add_argument_group("tools")
    tools.add_argument("--no-tools", action="store_true", help="offer the model no tools")
    tools.add_argument(
        "--allow-tool",
        metavar="NAME",
        dest="allow_tools",
        action="append",
        default=[],
        help="let that tool run without a question (repeatable)",
    )
    tools.add_argument(
        "--mcp-config",
        metavar="PATH",
        dest="mcp_config",
        type=mcp_file,
        action="append",
        default=[],
        help="start the MCP servers that file names, too (repeatable)",
    )
    tools.add_argument(
        "--tools",
        metavar="FILE.py",
        dest="tools",
        type=tools_file,
        action="append",
        default=[],
        help="offer the typed functions of that file as tools (repeatable)",
    )
    tools.add_argument("--yolo", action="store_true", help="let every tool run without a question")
    headless = parser.add_argument_group("without a screen")
    headless.add_argument(
        "--plain",
        action="store_true",
        help="talk in labelled lines, for screen readers and dumb terminals",
    )
    headless.add_argument(
        "-p",
        "--print",
        metavar="TEXT",
        dest="prompt",
        nargs="?",
        const="",
        help="answer TEXT (and what stands on stdin) on stdout, and exit",
    )
    headless.add_argument(
        "--output-format",
        choices=("text", "json", "stream-json"),
        default="text",
        help="what -p prints: the answer, one object at the end, or one event a line",
    )
    headless.add_argument(
        "--max-requests", metavar="N", type=count, help="requests in one turn at the most"
    )
    add("--reduced-motion", action="store_true", help="no animation, no blinking")
    add("--data-dir", metavar="DIR", help="keep sessions and the log there")
    add("--config", metavar="FILE", type=existing_file, help="read that settings file")
    add("--debug", action="store_true", help="write a detailed log into the data folder")
    add("--version", action="store_true", help="print the version and exit")
    return parser


def _start_parser() -> argparse.ArgumentParser:
    """The flags, and the prompt that may stand among them."""
    parser = build_parser()
    parser.add_argument(
        "text", metavar="TEXT", nargs="?", default="", help="a prompt to begin with, in quotes"
    )
    return parser


def whole_parser() -> argparse.ArgumentParser:
    """Flags and commands in one: what completions and the manual page are made from. It isn't what
    parses, since a flag's value could be taken for a command."""
    from chatglass.commands.parsing import CommandParser, add_commands

    parser = build_parser()
    add_commands(
        parser.add_subparsers(
            title="commands", dest="command", metavar="COMMAND", parser_class=CommandParser
        )
    )
    return parser


def parse(argv: Sequence[str]) -> Options:
    """The options in `argv`. Exits with 2 on wrong usage, with 0 after --help or --version."""
    parser = _start_parser()
    found = parser.parse_args(argv)
    if found.version:
        from importlib.metadata import version

        print(f"chatglass {version('chatglass')}")
        raise SystemExit(0)
    if found.prompt is None and found.output_format != "text":
        parser.error("--output-format goes with -p")
    if found.plain and found.prompt is not None:
        parser.error("--plain and -p exclude each other")
    if found.continue_newest and found.resume is not None:
        parser.error("--continue and --resume exclude each other")
    if found.demo and found.base_url:
        parser.error("--demo and --base-url exclude each other")
    _place_text(found, parser)
    values = vars(found)
    del values["version"]
    lists = {name: tuple(values[name]) for name in ("allow_tools", "mcp_config", "tools")}
    return Options(**{**values, **lists})


def _place_text(found: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Give the prompt that stands alone to `-p`, or refuse one that can't be meant."""
    text: str = found.text
    if not text:
        return
    if len(text.split()) == 1 and difflib.get_close_matches(text, COMMANDS, n=1, cutoff=_NEAR):
        parser.error(f"unrecognized arguments: {text}")
    if found.prompt:
        parser.error(f"-p has its prompt already; {text!r} is one too many")
    if found.resume == "":
        parser.error("-r without an id chooses from the list; a prompt needs the id, or -c")
    if found.prompt is not None:
        found.prompt, found.text = text, ""


def main(argv: Sequence[str] | None = None) -> int:
    from chatglass.config.errors import ConfigError

    arguments = sys.argv[1:] if argv is None else argv
    if arguments and arguments[0] in COMMANDS:
        from chatglass.commands.run import run_command

        return run_command(arguments, whole_parser)
    options = parse(arguments)
    try:
        if options.prompt is not None:
            from chatglass.headless.run import run_print

            return run_print(options)
        if options.plain:
            from chatglass.plain.run import run_plain

            return run_plain(options)
        from chatglass.tui.start import run_screen

        return run_screen(options)
    except ConfigError as error:
        print(f"chatglass: {error}", file=sys.stderr)
        return USAGE
