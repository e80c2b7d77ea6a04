"""Where a path that a model wrote really leads, and what kind of place that is."""

from __future__ import annotations

import errno
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chatglass.tools.run_unasked import why_run_unasked
from chatglass.tools.secret_names import secret_name
from chatglass.tools.tool import InvalidArguments

_OF_GIT = "it belongs to git, whose hooks and settings run programs"
_GUARDED_NAMES = {
    ".git": _OF_GIT,
    "git~1": _OF_GIT,  # the same on disks of Windows
    ".mcp.json": "it says which tool servers are started",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A resolved path. `secret` and `guarded` are reasons in words, empty where there is none."""

    given: str
    path: Path
    """Absolute, every symlink resolved."""
    root: Path
    """Absolute, every symlink resolved."""
    inside: bool
    secret: str
    guarded: str
    """Why only a person may let it be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What makes a place special: the home folder, and chatglass's own settings and data."""

    home: Path
    own_folders: tuple[Path, ...] = ()

    @classmethod
    def of_user(cls, own_folders: Sequence[Path] = ()) -> Surroundings:
        """`own_folders`: folders and files where this process keeps settings, data and logs, whatever flags moved
        them; the default places are judged as ours in any case."""
        import platformdirs

        default = platformdirs.PlatformDirs("chatglass", appauthor=False)
        places = (default.user_config_path, default.user_data_path, default.user_state_path)
        return cls(home=Path.home(), own_folders=(*own_folders, *places))

    def root_is_wide(self, root: Path) -> bool:
        """Whether `root` (resolved) is the home folder, or holds it, as `/` does."""
        return _resolve(self.home).is_relative_to(root)

    def place(self, given: str, root: Path) -> Place:
        """Where `given` leads from `root`. Raises InvalidArguments for what is no path."""
        real_root = _resolve(root)
        written = self._absolute(given, real_root)
        _refuse_circle(written)
        path = _resolve(written)
        return Place(
            given=given,
            path=path,
            root=real_root,
            inside=path.is_relative_to(real_root),
            # A link is judged by its own name too: `.env` may be a link to `settings.txt`.
            secret=self._why_secret(path) or self._why_secret(written),
            guarded=self._why_guarded(path) or self._why_guarded(written),
        )

    def _absolute(self, given: str, root: Path) -> Path:
        if not given or "\0" in given:
            raise InvalidArguments(
                f"{given!r} is not a path: expected the name of a file or folder."
            )
        if given == "~" or given.startswith("~/"):
            return self.home / given[2:]
        # Not normalised here: `link/..` is resolved by what the link points to.
        return root / given

    def _why_secret(self, path: Path) -> str:
        for folder in self.own_folders:
            if path.is_relative_to(folder) or path.is_relative_to(_resolve(folder)):
                return "it belongs to chatglass itself"
        for part in path.parts:
            if secret_name(_as_disks_may_take_it(part)):
                return f"{part} may hold secrets"
        if path.is_relative_to("/proc") or path.is_relative_to("/dev"):
            return "it shows the memory or devices of this machine"
        return ""

    def _why_guarded(self, path: Path) -> str:
        for folder in self.own_folders:
            if path.is_relative_to(folder) or path.is_relative_to(_resolve(folder)):
                return "it belongs to chatglass itself"
        names = [_as_disks_may_take_it(part) for part in path.parts]
        for name in names:
            if reason := _GUARDED_NAMES.get(name):
                return reason
        if reason := why_run_unasked(names):
            return reason
        if any(_is_repository(folder) for folder in (path, *path.parents)):
            return _OF_GIT
        return ""


def _as_disks_may_take_it(name: str) -> str:
    """Names with the same one may be one file: disks differ in what they make of case, of how
    letters are composed, and of characters that are not seen (HFS+ leaves those out)."""
    if name.isascii():
        return name.casefold()
    seen = (c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    return "".join(seen).casefold()


def makes_a_repository(path: Path) -> bool:
    """Whether a file of that name is what lets git take the folder around it for a repository, whose
    settings run programs: of what else that needs, nothing is special in itself."""
    return _as_disks_may_take_it(path.name) == "head"


def _is_repository(folder: Path) -> bool:
    """Whether git would take `folder` itself for one, as it does with bare ones and those that a
    `.git` file names (gitrepository-layout(5))."""
    try:
        return all((folder / name).exists() for name in ("HEAD", "objects", "refs"))
    except OSError:
        return False


def _refuse_circle(path: Path) -> None:
    """realpath makes something up for links that lead in a circle, where opening fails."""
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InvalidArguments(
                f"{path} can't be resolved: its links lead in a circle."
            ) from None
    except ValueError as error:
        raise InvalidArguments(f"{str(path)!r} is not a path: {error}.") from None


def _resolve(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError, UnicodeError) as error:
        raise InvalidArguments(
            f"{str(path)!r} is not a path that can be resolved: {error}."
        ) from None
