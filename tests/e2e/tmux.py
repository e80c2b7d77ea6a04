"""A program in tmux: keys in, screen out, and SIGKILL."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

LONGEST_WAIT = 30.0


class Tmux:
    """A tmux server of its own with one window, in which `command` runs."""

    def __init__(
        self,
        command: list[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        size: tuple[int, int] = (120, 40),
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cg-tmux-")
        self._socket = f"{self._folder.name}/s"
        # A shell below shows what is printed after the end, and the exit code.
        line = f"{shlex.join(command)}; echo exit=$?; exec cat"
        settings = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TMUX")},
            **env,
        }
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", str(size[0]), "-y", str(size[1]),
            "-c", str(cwd), "sh", "-c", line, env=settings,
        )  # fmt: skip

    def _tmux(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-S", self._socket, *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env=env,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    # -- acting

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)

    def keys(self, *names: str) -> None:
        """Keys by tmux's names: Enter, Escape, C-o, F2."""
        self._tmux("send-keys", *names)

    def paste(self, text: str) -> None:
        subprocess.run(
            ["tmux", "-S", self._socket, "load-buffer", "-"],
            input=text.encode(),
            check=True,
            timeout=20,
        )
        self._tmux("paste-buffer", "-p")

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    @property
    def pid(self) -> int:
        """The process of the program: the child of the shell in the window."""
        shell = int(self._tmux("display-message", "-p", "#{pane_pid}"))
        children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return int(children[0])

    def kill_program(self) -> None:
        """SIGKILL, as by the system or a power cut."""
        os.kill(self.pid, signal.SIGKILL)
        self.sees("exit=137")

    # -- looking

    @property
    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    def until(self, condition: Callable[[str], object], what: str) -> str:
        end = time.monotonic() + LONGEST_WAIT
        while True:
            screen = self.screen
            if condition(screen):
                return screen
            assert time.monotonic() < end, f"{what} did not happen:\n{screen}"
            time.sleep(0.03)

    def sees(self, text: str) -> str:
        return self.until(lambda screen: text in screen, f"{text!r} on screen")

    def sees_no(self, text: str) -> str:
        return self.until(lambda screen: text not in screen, f"{text!r} gone")

    def close(self) -> None:
        subprocess.run(
            ["tmux", "-S", self._socket, "kill-server"],
            capture_output=True,
            timeout=20,
            check=False,
        )
        self._folder.cleanup()
