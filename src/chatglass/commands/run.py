"""Running a subcommand: the exit code is DONE where all was done, FAILED where something failed."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence

from chatglass.commands.parsing import parse
from chatglass.commands.printing import complain
from chatglass.config.errors import ConfigError
from chatglass.store.protocol import StoreError
from chatglass.values.exit_codes import DONE, FAILED, INTERRUPTED, USAGE


def run_command(argv: Sequence[str], whole_parser: Callable[[], argparse.ArgumentParser]) -> int:
    """`whole_parser` gives the parser of the program with its commands, for what describes it."""
    found = parse(argv)
    if found.command == "completion":
        from chatglass.commands.completion import run_completion

        return run_completion(found.shell, whole_parser())
    if found.command == "man":
        from chatglass.commands.man import run_man

        return run_man()
    # As Ctrl+C does, so that servers and files that a command opened are closed.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return asyncio.run(_run(found))
    except KeyboardInterrupt:
        return INTERRUPTED
    except ConfigError as error:
        complain(str(error))
        return USAGE
    except StoreError as error:
        complain(str(error))
        return FAILED
    except BrokenPipeError:
        # Whoever read the output, such as `head`, has had enough. The interpreter's own flush of
        # stdout at the end must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        complain(f"{error.filename or 'the output'}: {error.strerror or error}.")
        return FAILED
    finally:
        signal.signal(signal.SIGTERM, before)


async def _run(found: argparse.Namespace) -> int:
    match found.command:
        case "sessions":
            from chatglass.commands.sessions import run_sessions

            return await run_sessions(found)
        case "export":
            from chatglass.commands.exporting import run_export

            return await run_export(found)
        case "import":
            from chatglass.commands.importing import run_import

            return await run_import(found)
        case "mcp":
            from chatglass.commands.mcp import run_mcp

            return await run_mcp(found)
        case "tools":
            from chatglass.commands.tools import run_tools

            return await run_tools(found)
        case "usage":
            from chatglass.commands.usage import run_usage

            return await run_usage(found)
        case "prices":
            from chatglass.commands.prices import run_prices

            return await run_prices(found)
        case "serve":
            from chatglass.commands.serve import run_serve

            return await run_serve(found)
        case "store" if found.action == "copy":
            from chatglass.commands.copying import run_copy

            return await run_copy(found)
        case _:
            from chatglass.commands.store import run_store

            return run_store(found)
