"""Runs one command and ends its whole process tree: a script of its own, standard library only.

    python -I -S supervisor.py LIFE STATUS GRACE PROGRAM [ARGUMENT...]

LIFE is a descriptor whose other end only the app holds: when that closes, because the app
cancels or because it was killed, the tree is ended (SIGTERM, after GRACE seconds SIGKILL). It may
be several with commas between them (`5,7`): the first that closes ends the tree. When
the command itself ends, whatever it left running is ended the same way. STATUS gets JSON lines:

    {"pid": 123}                       the command runs, as the leader of process group 123
    {"error": "..."}                   it could not be started
    {"exit": 0} or {"signal": 9}       how it ended
    {"ended": 2}                       how many processes were left then, and have been ended

On Linux the supervisor is the subreaper of its tree (prctl(2)), so that processes that left
their session or lost their parent are found as its descendants; elsewhere the command's process
group is what is ended.
"""

# Kept to modules that are cheap to import: this starts for every command.

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LINUX = sys.platform.startswith("linux")
# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_KILL_SECONDS = 5.0


def main(arguments: list[str]) -> None:
    life = [int(descriptor) for descriptor in arguments[0].split(",")]
    status, grace = int(arguments[1]), float(arguments[2])
    for descriptor in (*life, status):
        os.set_inheritable(descriptor, False)
    prctl = _prctl()
    if prctl:
        prctl(_PR_SET_CHILD_SUBREAPER, 1)
    wake = _wake_on_signals()
    command = _start(arguments[3:], status, prctl)
    # The tree alone holds the output now: its reader sees the end when the tree is gone.
    _close_output()
    _say(status, {"pid": command})
    ending = _wait(command, life, wake, status)
    _end_tree(command, grace, status, ending)


def _prctl() -> Callable[..., int] | None:
    if not _LINUX:
        return None
    try:
        import ctypes

        return ctypes.CDLL(None, use_errno=True).prctl
    except (ImportError, OSError, AttributeError):
        return None


def _wake_on_signals() -> int:
    """A pipe that becomes readable when a child ends, or when we are asked to end."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _noticed)
    return read


def _noticed(_number: int, _frame: object) -> None:
    """The wake-up pipe says all there is to say."""


def _start(argv: list[str], status: int, prctl: Callable[..., int] | None) -> int:
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        if prctl:
            # Should the supervisor itself be killed, the command goes with it.
            prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
            if os.getppid() != parent:
                os._exit(127)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP,
                       signal.SIGPIPE, signal.SIGXFSZ):  # fmt: skip
            signal.signal(number, signal.SIG_DFL)
        os.execvp(argv[0], argv)
    except OSError as error:
        _say(status, {"error": f"{argv[0]}: {error.strerror}"})
    finally:
        os._exit(127)


def _close_output() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _say(status: int, record: dict[str, object]) -> None:
    # An error: the app is gone, and nobody reads the status any more.
    with contextlib.suppress(OSError):
        os.write(status, (json.dumps(record) + "\n").encode())


def _wait(command: int, life: list[int], wake: int, status: int) -> bool:
    """Wait for the command's end or the app's. True where the command has ended by itself."""
    while True:
        ready, _, _ = select.select([*life, wake], [], [])
        if wake in ready:
            received = os.read(wake, 4096)
            if _reap(command, status):
                return True
            if any(number != signal.SIGCHLD for number in received):
                return False
        if any(descriptor in ready for descriptor in life):
            return False


def _reap(command: int, status: int) -> bool:
    """Collect what has ended; True if the command is among it."""
    found = False
    while True:
        try:
            pid, result = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == command:
            found = True
            if os.WIFSIGNALED(result):
                _say(status, {"signal": os.WTERMSIG(result)})
            else:
                _say(status, {"exit": os.WEXITSTATUS(result)})


def _end_tree(command: int, grace: float, status: int, ended_itself: bool) -> None:
    left = _alive(command)
    if ended_itself and left:
        _say(status, {"ended": len(left)})
    deadline = time.monotonic() + grace
    _signal_all(left, signal.SIGTERM)
    # A stopped process would take SIGTERM only when continued.
    _signal_all(left, signal.SIGCONT)
    while left and time.monotonic() < deadline:
        time.sleep(0.01)
        _reap(command, status)
        left = _alive(command)
    deadline = time.monotonic() + _KILL_SECONDS
    # Again and again: a process may have forked between looking and killing.
    while left and time.monotonic() < deadline:
        _signal_all(left, signal.SIGKILL)
        time.sleep(0.005)
        _reap(command, status)
        left = _alive(command)


def _signal_all(pids: list[int], number: int) -> None:
    for pid in pids:
        # Gone already, or another user's (sudo): it can't be ended from here.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _alive(command: int) -> list[int]:
    """The running processes of the tree; negative ids name process groups (kill(2))."""
    if _LINUX:
        # Twice: of a process whose parent ended while the table was read, neither may be seen.
        return _descendants(os.getpid()) or _descendants(os.getpid())
    try:
        os.killpg(command, 0)
    except (ProcessLookupError, PermissionError):
        return []
    return [-command]


def _descendants(ancestor: int) -> list[int]:
    """From /proc/PID/stat (proc(5)): name in brackets, then state and parent."""
    children: dict[int, list[int]] = {}
    ended: set[int] = set()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                state, parent, *rest = file.read().rpartition(b")")[2].split()
        except (OSError, ValueError):
            # It ended while we looked.
            continue
        children.setdefault(int(parent), []).append(int(name))
        # One whose first thread has ended is called a zombie, but while others of it run (the 20th
        # field counts them) it is none, and what it started is still its own.
        if state in (b"Z", b"X") and int(rest[15]) <= 1:
            ended.add(int(name))
    found: list[int] = []
    open_ends = [ancestor]
    while open_ends:
        below = children.get(open_ends.pop(), [])
        found += [pid for pid in below if pid not in ended]
        open_ends += below
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
    # Without the interpreter's own end, which the reader of STATUS would wait for.
    os._exit(0)
