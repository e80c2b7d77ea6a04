"""Starting the full screen, and what is said after it."""

from __future__ import annotations

import gc
import os
import sys

from chatglass.config.errors import ConfigError
from chatglass.config.first_look import first_look
from chatglass.config.options import Options
from chatglass.config.paths import find_paths


def run_screen(options: Options) -> int:
    """Run the app until it is left. Returns the exit code. Raises ConfigError."""
    from chatglass.tui.app import ChatglassApp

    paths = find_paths(options.data_dir, options.config)
    app = ChatglassApp(options, first_look(paths.config_file))
    _keep_stderr_off_the_screen()
    # A collection pauses the screen for up to 0.2 s once many objects live; the app collects when
    # nothing happens.
    gc.disable()
    app.run()
    if app.start_error is not None:
        raise ConfigError(app.start_error)
    for line in app.last_words:
        print(line)
    return app.return_code or 0


def _keep_stderr_off_the_screen() -> None:
    """Point descriptor 2 at a null file while Textual runs: whatever a library or a child process
    writes there would be drawn over the screen. Textual's own stderr stays usable."""
    if not sys.stderr.isatty():
        return
    sys.__stderr__ = os.fdopen(os.dup(2), "w")  # type: ignore[misc]
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
