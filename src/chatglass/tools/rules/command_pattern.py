"""What a rule says of a command: `git diff [--stat] *`.

    command := word (" " item)*
    item    := word | "[" option "]" | "*" | "**"

A word stands for itself at its place. `[option]` may stand there, or not; several in a row in any
order. `*`, at the end, is any number of operands: words that are no options, and lead, taken as
paths, to nothing outside the working directory and to nothing private. `**`, at the end, is
anything at all, and only for rules that ask or deny.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatglass.tools.rules.match import InvalidRule, Match
from chatglass.tools.rules.shell_words import NotModelled, next_word, plain_words, written

FitsOperand = Callable[[str], bool]
"""Whether a word, taken as a path, stays where a rule may let a command reach."""

RUNNERS = frozenset((
    ".", "ant", "ash", "at", "awk", "bash", "batch", "builtin", "bun", "bundle", "bunx", "busybox",
    "chroot", "chrt", "command", "corepack", "crontab", "csh", "dash", "deno", "doas", "docker",
    "ed", "elixir", "emacs", "env", "erl", "eval", "ex", "exec", "expect", "find", "fish", "flock",
    "gawk", "gdb", "ghci", "gmake", "gnumake", "gradle", "gradlew", "guile", "ionice", "ipython",
    "java", "jshell", "julia", "just", "ksh", "lldb", "lua", "luajit", "m4", "make", "mawk",
    "mksh", "mvn", "nawk", "nice", "ninja", "node", "nodejs", "nohup", "nox", "npx", "nsenter",
    "nvim", "osascript", "parallel", "perl", "php", "pipx", "pkexec", "pnpx", "podman",
    "powershell", "pwsh", "pypy", "python", "rake", "rlwrap", "rscript", "ruby", "runghc", "runuser",
    "rsync", "screen", "scp", "script", "sed", "setarch", "setpriv", "setsid", "sh", "socat",
    "source", "sqlite", "ssh", "sshpass", "stdbuf", "strace", "su", "sudo", "systemd-run", "tar",
    "taskset", "tclsh", "timeout", "tmux", "toolbox", "tox", "trap", "ts-node", "tsx", "unshare",
    "uvx", "vi", "view", "vim", "watch", "wish", "xargs", "xonsh", "zsh",
))  # fmt: skip
"""Programs that run what their operands say: `*` behind one of them would allow anything. Without
the version that may stand at the end of a name, in lower case."""

_OF_MANY = frozenset((
    "aws", "brew", "cargo", "composer", "conda", "dotnet", "gcloud", "gh", "git", "go", "hatch",
    "helm", "hg", "jj", "kubectl", "mamba", "nix", "npm", "pdm", "pip", "pnpm", "poetry", "rustup",
    "rye", "svn", "swift", "systemctl", "terraform", "uv", "yarn",
))  # fmt: skip
"""Programs of many commands, some of which run what is named: `*` may stand behind a command."""
_RUN = frozenset(("bisect", "create", "dlx", "exec", "run", "run-script", "x"))
"""Commands of these that run what is named."""

_OPERAND = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./,:@%+-]*")
"""No `=`, since `make CC=…` sets a variable; no `@` in front, which some programs read as a file
of further options."""


@dataclass(frozen=True, slots=True)
class _Item:
    word: str
    may_lack: bool = False
    place: int = 0
    """How many words that must stand come before it."""

    def __str__(self) -> str:
        return f"[{written(self.word)}]" if self.may_lack else written(self.word)


class CommandPattern:
    """`words`: those that must stand; `rest`: what may follow."""

    def __init__(self, items: Sequence[str], optional: Sequence[bool], rest: str = "") -> None:
        """Raises InvalidRule. `optional` says of each item whether it may lack."""
        made: list[_Item] = []
        must = 0
        for word, may_lack in zip(items, optional, strict=True):
            made.append(_Item(word, may_lack, must))
            must += not may_lack
        self._items = tuple(made)
        self.rest = rest
        self._words = tuple(item.word for item in made if not item.may_lack)
        self._check()

    def _check(self) -> None:
        if not self._items or self._items[0].may_lack:
            raise InvalidRule("a command begins with the name of a program")
        try:
            plain_words(" ".join(written(item.word) for item in self._items))
        except (NotModelled, ValueError) as error:
            raise InvalidRule(f"no command can fit it: {error}") from None
        for item in self._items:
            if item.may_lack and not item.word.startswith("-"):
                raise InvalidRule(f"[{item.word}] is not an option: only options may be left out")
        if self.rest not in ("", "*", "**"):
            raise InvalidRule(f"{self.rest!r} is neither * nor **")

    @property
    def program(self) -> str:
        return _name(self._words[0])

    @property
    def is_exact(self) -> bool:
        return not self.rest and not any(item.may_lack for item in self._items)

    @property
    def objection_to_allowing(self) -> str:
        """Why no rule may allow what it fits; empty where one may."""
        if self.rest == "**":
            return "** fits anything, and so only stands in rules that ask or deny"
        if self.rest != "*":
            return ""
        program, names = _family(self.program), [w for w in self._words if w[:1] != "-"]
        runner = self.program if program in RUNNERS else ""
        if program in _OF_MANY and _RUN & set(names[1:2]):
            runner = f"{self.program} {names[1]}"
        if runner:
            return f"{runner} runs what its operands say, so that * would allow anything"
        if program in _OF_MANY and len(names) == 1:
            return f"* would allow every command of {self.program}: name one in front of it"
        return ""

    def __str__(self) -> str:
        return " ".join([*map(str, self._items), *([self.rest] if self.rest else [])])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CommandPattern) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    # -- matching

    def allows(self, command: str, fits_operand: FitsOperand) -> bool:
        """Whether it fits beyond doubt."""
        if self.objection_to_allowing:
            return False
        try:
            words = plain_words(command)
        except NotModelled:
            return False
        return self._fits(words, lambda word: bool(_OPERAND.fullmatch(word)) and fits_operand(word))

    def concerns(self, command: str) -> Match:
        """Whether a rule that asks or denies speaks of the command. What hides its program, as a
        shell or `sudo` does, may be anything."""
        try:
            words = plain_words(command)
        except NotModelled:
            return "perhaps"
        first, *others = words
        same = [_name(first), *others]
        if _name(self._words[0]) == same[0] and self._fits(
            (self._words[0], *others), lambda word: not word.startswith("-")
        ):
            return "yes"
        if _family(same[0]) in RUNNERS and _family(self.program) not in RUNNERS:
            return "perhaps"
        wanted = [_name(self._words[0]), *self._words[1:]]
        wanted = [word.casefold() for word in wanted if not word.startswith("-")]
        given = iter(word.casefold() for word in same)
        return "perhaps" if all(word in given for word in wanted) else "no"

    def _fits(self, words: Sequence[str], fits_operand: FitsOperand) -> bool:
        left = {item for item in self._items if item.may_lack}
        done = 0
        for word in words:
            if done < len(self._words) and word == self._words[done]:
                done += 1
                continue
            option = _Item(word, True, done)
            if option in left:
                left.remove(option)
                continue
            if done < len(self._words):
                return False
            if self.rest == "**":
                return True
            if self.rest != "*" or word.startswith("-") or not fits_operand(word):
                return False
        return done == len(self._words)


def parse_command(text: str) -> CommandPattern:
    """Raises InvalidRule."""
    items: list[str] = []
    optional: list[bool] = []
    place = 0
    while place < len(text):
        if text[place:] in ("*", "**"):
            return CommandPattern(items, optional, text[place:])
        may_lack = text[place] == "["
        word, place = _word(text, place + may_lack, closing=may_lack)
        items.append(word)
        optional.append(may_lack)
        if place < len(text):
            place += 1
            if place == len(text):
                raise InvalidRule("a blank stands at its end")
    return CommandPattern(items, optional)


def _word(text: str, place: int, *, closing: bool) -> tuple[str, int]:
    """The word at `place`, and where it ends, behind its `]` where it is in brackets."""
    end = place
    if closing:
        # The first `]` at which a word is whole: one in quotes holds others.
        end = text.find("]", place)
        while end >= 0:
            try:
                word, stop = next_word(text[:end], place)
                if stop == end:
                    if text[end + 1 : end + 2] not in ("", " "):
                        break
                    return word, end + 1
            except NotModelled:
                pass
            end = text.find("]", end + 1)
        raise InvalidRule(f"{text[place - 1 :]!r} is no option in brackets")
    try:
        return next_word(text, place)
    except NotModelled as error:
        raise InvalidRule(f"{error}, at {text[place:]!r}") from None


def _name(program: str) -> str:
    return program.rpartition("/")[2]


def _family(program: str) -> str:
    """The name of a program as RUNNERS has it: `python` of `Python3.11`."""
    return re.sub(r"-?[0-9.]+$", "", program).casefold() or program
