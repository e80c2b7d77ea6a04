"""Which rules the question offers for "always": the narrowest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chatglass.tools.places import Surroundings
from chatglass.tools.rules.command_pattern import CommandPattern
from chatglass.tools.rules.match import InvalidRule
from chatglass.tools.rules.other_patterns import ArgumentsPattern, UrlPattern
from chatglass.tools.rules.path_pattern import PathPattern
from chatglass.tools.rules.readers import reading_words
from chatglass.tools.rules.rule import (
    COMMAND_TOOLS,
    PATH_TOOLS,
    URL_TOOLS,
    JudgedCall,
    Rule,
    parse_rule,
)
from chatglass.tools.rules.shell_words import NotModelled, plain_words


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`means`: in words, what it covers beyond the call that is shown."""

    rule: Rule
    means: str


def suggestions(call: JudgedCall, surroundings: Surroundings) -> list[Suggestion]:
    """Rules that allow the call, each of which has been tried on it; none where no rule may."""
    if call.assessment.always_ask or call.assessment.verdict == "deny":
        return []
    found: list[Suggestion] = []
    try:
        for each in _candidates(call):
            is_new = all(each.rule != other.rule for other in found)
            # As the file will hold it: what can't be read back, or doesn't match, isn't offered.
            if is_new and parse_rule(str(each.rule)).allows(call, surroundings):
                found.append(each)
    except (InvalidRule, ValueError):
        pass
    return found


def why_none(call: JudgedCall) -> str:
    """Why no rule can be saved for a call."""
    if call.assessment.always_ask:
        return f"{call.assessment.rule}: no rule can change that"
    if call.spec.name in COMMAND_TOOLS and not call.spec.server:
        try:
            plain_words(call.arguments["command"])
        except NotModelled as error:
            return f"no rule can cover this command: {error}"
    return "no rule can cover exactly this"


def _candidates(call: JudgedCall) -> Iterator[Suggestion]:
    name = call.spec.name
    if name in COMMAND_TOOLS:
        yield from _commands(name, call.arguments["command"])
    elif name in PATH_TOOLS:
        yield from _paths(name, call)
    elif name in URL_TOOLS:
        url = call.arguments["url"]
        if "/" in url.partition("://")[2]:
            yield Suggestion(Rule(name, UrlPattern.parse(url)), "this page only")
        if site := UrlPattern.site_of(url):
            yield Suggestion(Rule(name, site), "every page of this site")
    else:
        exact = ArgumentsPattern.of(call.arguments)
        yield Suggestion(Rule(name, exact), "exactly these arguments")
        yield Suggestion(Rule(name), "whatever the arguments are")


def _commands(name: str, command: str) -> Iterator[Suggestion]:
    try:
        words = plain_words(command)
    except NotModelled:
        return
    exact = CommandPattern(words, [False] * len(words))
    yield Suggestion(Rule(name, exact), "exactly this command")
    fixed = reading_words(words)
    if not fixed:
        return
    options = list(dict.fromkeys(word for word in words[fixed:] if word.startswith("-")))
    flags = [False] * fixed + [True] * len(options)
    wide = CommandPattern([*words[:fixed], *options], flags, "*")
    with_options = "with or without these options, " if options else ""
    yield Suggestion(Rule(name, wide), f"{with_options}on anything in the working directory")


def _paths(name: str, call: JudgedCall) -> Iterator[Suggestion]:
    import os

    path = call.assessment.details.get("path", "")
    if not path:
        return
    exact = PathPattern.exactly(path, os.path.realpath(call.root))
    what = "this folder itself" if name == "list_directory" else "this file"
    yield Suggestion(Rule(name, exact), what)
    folder = exact.folder()
    if folder is not None and (not exact.absolute or len(folder.names) > 2):
        yield Suggestion(
            Rule(name, folder), "everything in this folder and below, but hidden names"
        )
