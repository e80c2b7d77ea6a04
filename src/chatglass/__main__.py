"""The entry point: the first frame of the full-screen app, then everything else."""

from __future__ import annotations

import os
import sys

from chatglass import splash


def main(argv: list[str] | None = None) -> int:
    """Run chatglass with `argv` (default: the command line's). Returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if splash.is_wanted(arguments, os.environ):
        splash.show()
        import gc

        # Nothing that imports make is garbage, and looking for it takes a tenth of the start.
        gc.disable()
    # At Textual's 60 frames a second a key behind a stream's frame waits up to 33 ms.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    try:
        from chatglass.cli import main as run

        return run(arguments)
    except KeyboardInterrupt:
        return 130
    finally:
        splash.leave()


if __name__ == "__main__":
    sys.exit(main())
