"""Commands that only read, and those of their options that may stand in a rule beside `*`.

Behind `*` any file of the working directory may follow, also as the value of an option that stands
before it: `git diff [--output] *` would write to any of them, `rg [--pre] *` run any. So these are
options that take no value, or one that is a number, a date or a form of printing. Options that
follow links or go down into folders are not among them: names inside are not compared with those
that are private. For the same reason `rg` and `diff`, which read what is in a folder, are no
readers, nor is `cargo check`, which runs the project's build scripts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_GIT = (
    r"-[bcdeilmnpstuvwzCMR]|-[nU]?\d+|--(stat|shortstat|numstat|name-only|name-status|summary|patch"
    r"|no-patch|raw|ignore-all-space|ignore-space-change|ignore-blank-lines|minimal|patience"
    r"|histogram|color|no-color|no-ext-diff|no-textconv|cached|staged|merge-base|check|full-index"
    r"|no-renames|compact-summary|word-diff|color-words|oneline|graph|decorate|no-decorate|all"
    r"|branches|tags|no-merges|merges|first-parent|reverse|follow|abbrev-commit|short|branch|long"
    r"|porcelain|ignored|show-stash|others|modified|deleted|stage|exclude-standard|full-name"
    r"|numbered|email)"
    r"|--(unified|diff-filter|date|pretty|format|max-count|since|until|after|before|author|grep"
    r"|untracked-files|porcelain|word-diff|color|decorate)=.*"
)
_NPM = r"--(all|json|long|parseable|global)|--(depth|omit)=\w+"
_CARGO = r"-[qv]|--(quiet|verbose|all-features|no-default-features|locked|offline|frozen|no-deps)|--(depth|format-version)=\d+"
_PIP = r"--(outdated|uptodate|local|user|not-required|files|verbose)|--format=\w+"
_GO = r"-(json|m|deps|e|test|u)"

_OF_MANY: dict[str, tuple[frozenset[str], re.Pattern[str]]] = {
    "git": (
        frozenset({"status", "diff", "log", "show", "blame", "ls-files", "shortlog"}),
        re.compile(_GIT),
    ),
    "cargo": (frozenset({"tree", "metadata"}), re.compile(_CARGO)),
    "npm": (frozenset({"ls", "outdated"}), re.compile(_NPM)),
    "pip": (frozenset({"list", "show"}), re.compile(_PIP)),
    "go": (frozenset({"vet", "list"}), re.compile(_GO)),
}
"""Programs of many commands: those of them that change nothing and run nothing of the project."""

_ALONE: dict[str, re.Pattern[str]] = {
    "cat": re.compile(r"-[AbeEnstTuv]+"),
    "cmp": re.compile(r"-[bls]+"),
    "du": re.compile(r"-[abchkmsSx]+|-d\d*|--(all|human-readable|summarize|total|max-depth=\d+)"),
    "file": re.compile(r"-[bi]+|--(brief|mime|mime-type|mime-encoding)"),
    "grep": re.compile(
        r"-[bcEFGhHilLnoPqsvwxyABC]+|-[ABCm]\d+|--(color|colour|ignore-case|line-number|count"
        r"|fixed-strings|extended-regexp|perl-regexp|invert-match|word-regexp|only-matching"
        r"|files-with-matches|no-filename|with-filename)"
        r"|--(color|colour|context|after-context|before-context|max-count)=\w+"
    ),
    "head": re.compile(r"-[cnqv]|-[cn]?\d+|--(lines|bytes)=\d+"),
    "ls": re.compile(
        r"-[1aAbBcCdfFgGhiklmnopqQrRsStuUvxX]+|--(all|almost-all|human-readable|full-time|recursive"
        r"|reverse|size|si|group-directories-first)|--(color|sort|time)(=\w+)?"
    ),
    "stat": re.compile(r"-[cft]|--(format|printf)=.*"),
    "tail": re.compile(r"-[cnqv]|-[cn]?\d+|--(lines|bytes)=\d+"),
    "tree": re.compile(r"-[adfhipstuCDgr]+|-L|--(dirsfirst|noreport|gitignore|du|prune)"),
    "wc": re.compile(r"-[clLmw]+"),
}


def reading_words(words: Sequence[str]) -> int:
    """How many words name a command that only reads, whatever operands follow; 0 where it may do
    more, or has an option of which that isn't known."""
    if words[0] in _ALONE:
        fixed, options = 1, _ALONE[words[0]]
    elif words[0] in _OF_MANY and len(words) > 1 and words[1] in _OF_MANY[words[0]][0]:
        fixed, options = 2, _OF_MANY[words[0]][1]
    else:
        return 0
    known = all(options.fullmatch(word) for word in words[fixed:] if word.startswith("-"))
    return fixed if known else 0
