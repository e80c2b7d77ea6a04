"""Starting the full screen, and what is said after it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chatglass.config.errors import ConfigError
from chatglass.config.first_look import first_look
from chatglass.config.options import Options
from chatglass.config.paths import Paths, find_paths
from chatglass.values.text import visible

if TYPE_CHECKING:
    from chatglass.tui.app import ChatglassApp


def run_screen(options: Options) -> int:
    """Run the app until it is left. Returns the exit code: 0, 2 where flags or settings are wrong,
    1 where it could not start otherwise or broke; the cause is on stderr."""
    browser = os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")
    if not browser and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(
            "The full screen needs a terminal for its input and output. Without one use -p TEXT, "
            "or --plain to talk in lines."
        )
    if os.environ.get("TERM") == "dumb":
        raise ConfigError("This terminal can't show a screen (TERM=dumb): use --plain.")
    from rich.console import Console

    from chatglass.tui.app import ChatglassApp

    paths = find_paths(options.data_dir, options.config)
    look = first_look(paths.config_file)
    if browser:
        from chatglass.tui.web_driver import GlassWebDriver

        app = ChatglassApp(options, look, GlassWebDriver)
    else:
        app = ChatglassApp(options, look)
    # A collection pauses the screen for up to 0.2 s once many objects live; the app collects when
    # nothing happens.
    gc.disable()
    with _stderr_off_the_screen():
        app.error_console = Console(file=sys.__stderr__, markup=False, highlight=False)
        app.run()
    if app.start_error is not None:
        print(f"chatglass: {visible(app.start_error)}", file=sys.stderr)
    if app.broken_by is not None:
        _tell_breakage(app, paths)
    for line in app.last_words:
        # In a browser standard output is the way to the page.
        print(visible(line), file=sys.stderr if browser else sys.stdout)
    return app.return_code or 0


def _tell_breakage(app: ChatglassApp, paths: Paths) -> None:
    """After the traceback: what it means for the user."""
    cause = f"{type(app.broken_by).__name__}: {app.broken_by}"
    print(f"chatglass broke: {visible(cause)}. More is in {paths.log}.", file=sys.stderr)
    if app.current is not None and app.current.engine.context.stored:
        print(f"To go on with this session: chatglass -r {app.current.id}", file=sys.stderr)


@contextmanager
def _stderr_off_the_screen() -> Iterator[None]:
    """Point descriptor 2 at a null file while Textual runs: whatever a library or a child process
    writes there would be drawn over the screen. Textual's own stderr stays usable."""
    if not sys.stderr.isatty():
        yield
        return
    terminal = os.dup(2)
    before = sys.__stderr__
    null = os.open(os.devnull, os.O_WRONLY)
    with os.fdopen(terminal, "w") as sys.__stderr__:  # pyright: ignore[reportAttributeAccessIssue]
        os.dup2(null, 2)
        os.close(null)
        try:
            yield
        finally:
            sys.__stderr__.flush()
            os.dup2(terminal, 2)
    sys.__stderr__ = before  # pyright: ignore[reportAttributeAccessIssue]
