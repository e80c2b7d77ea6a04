"""`chatglass completion SHELL`: a script that completes flags, commands, their choices, and paths."""

from __future__ import annotations

import argparse
from typing import cast

# What a value is, by the name that the help gives it.
_FOLDERS = frozenset({"DIR"})
_FILES = frozenset({"FILE", "PATH"})


def run_completion(shell: str, parser: argparse.ArgumentParser) -> int:
    print(completion(shell, parser))
    return 0


def completion(shell: str, parser: argparse.ArgumentParser) -> str:
    import shtab

    _mark_paths(parser)
    return shtab.complete(parser, shell=shell)


def _mark_paths(parser: argparse.ArgumentParser) -> None:
    """Tell shtab which values are paths, in this parser and those of its commands."""
    import shtab

    for action in parser._actions:  # pyright: ignore[reportPrivateUsage] - argparse has no public list
        if isinstance(action, argparse._SubParsersAction):  # pyright: ignore[reportPrivateUsage]
            for below in cast(dict[str, argparse.ArgumentParser], action.choices).values():
                _mark_paths(below)
        elif action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY  # pyright: ignore[reportAttributeAccessIssue] - shtab's own
        elif action.metavar in _FILES:
            action.complete = shtab.FILE  # pyright: ignore[reportAttributeAccessIssue]
