"""What flags take, checked while the command line is read: what the user named there and can't be used
ends the start with exit code 2, before anything is sent or shown. Imports nothing heavy."""

from __future__ import annotations

import argparse
import ast
import os
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from decimal import Decimal


def existing_file(path: str) -> str:
    if os.path.isfile(os.path.expanduser(path)):
        return path
    there = os.path.exists(os.path.expanduser(path))
    wrong = "is not there" if not there else "is a folder, or no plain file"
    raise argparse.ArgumentTypeError(f"the file {path} {wrong}")


def tools_file(path: str) -> str:
    """A Python file that can be compiled; whether its imports work is seen when it runs."""
    existing_file(path)
    if not path.endswith(".py"):
        raise argparse.ArgumentTypeError(f"{path} is no Python file: its name must end with .py")
    try:
        with open(os.path.expanduser(path), "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(file.read())
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path} can't be read: {error.strerror}") from error
    except SyntaxError as error:
        where = f"{path}, line {error.lineno}" if error.lineno else path
        raise argparse.ArgumentTypeError(f"{where}: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise argparse.ArgumentTypeError(f"{path} is not valid Python: {error}") from error
    return path


def mcp_file(path: str) -> str:
    """A file of the format; what is wrong with one of its servers costs that server alone."""
    from chatglass.tools.mcp.document import Unusable, read_document, servers_in

    existing_file(path)
    path = os.path.expanduser(path)
    try:
        document = read_document(path).parsed()
        if "mcpServers" not in document:
            raise Unusable("must hold an object with mcpServers.")
        servers_in(document)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path} can't be read: {error.strerror}") from error
    except Unusable as error:
        raise argparse.ArgumentTypeError(f"{path} {str(error).rstrip('.')}") from error
    return path


def count(text: str) -> int:
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")


def seconds(text: str) -> float:
    try:
        value = float(text.removesuffix("s"))
    except ValueError:
        value = 0.0
    if 0 < value < 1_000_000:
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0, such as 30")


def dollars(text: str) -> Decimal:
    from decimal import Decimal, InvalidOperation

    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(0)
    if amount.is_finite() and 0 < amount < 1_000_000:
        return amount
    raise argparse.ArgumentTypeError(f"{text!r} is not a sum in USD above 0, such as 0.50")
