"""SavedRules: the rules of the user's settings file, and what is added to them or taken out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

from chatglass.config.errors import ConfigError
from chatglass.config.settings import ApprovalSettings, Policy, RootRules, save_in_list
from chatglass.tools.places import Surroundings
from chatglass.tools.rules.match import InvalidRule
from chatglass.tools.rules.rule import parse_rule
from chatglass.tools.rules.rule_book import RuleBook, SavedRule


class SavedRules:
    """Read once; every session of this start sees at once what is saved here."""

    def __init__(self, settings: ApprovalSettings, file: Path, surroundings: Surroundings) -> None:
        """Raises ConfigError, which names the file and the key of a rule that is none."""
        self.file = file
        self._surroundings = surroundings
        self._tools = dict(settings.tools)
        self._rules: list[SavedRule] = []
        self._read(settings, "", "approval")
        for root, rules in settings.roots.items():
            self._read(rules, os.path.realpath(Path(root).expanduser()), f'approval.roots."{root}"')
        self._written = {os.path.realpath(Path(root).expanduser()): root for root in settings.roots}
        """Working directories as the file names them."""

    def _read(self, lists: ApprovalSettings | RootRules, root: str, table: str) -> None:
        for verdict in get_args(Policy):
            for text in getattr(lists, verdict):
                try:
                    saved = SavedRule(verdict, parse_rule(text), root)
                    if verdict == "allow" and saved.rule.objection_to_allowing:
                        raise InvalidRule(f"{text}: {saved.rule.objection_to_allowing}")
                except InvalidRule as error:
                    raise ConfigError(f"{self.file}: {table}.{verdict}: {error}.") from None
                self._rules.append(saved)

    @property
    def rules(self) -> tuple[SavedRule, ...]:
        return tuple(self._rules)

    @property
    def tools(self) -> dict[str, Policy]:
        """The policy by tool of `[approval.tools]`."""
        return dict(self._tools)

    def book(self, root: str) -> RuleBook:
        """What holds in the working directory `root`."""
        here = os.path.realpath(root)
        found = tuple(saved for saved in self._rules if saved.root in ("", here))
        return RuleBook(self._surroundings, found, self._tools)

    def save(self, saved: SavedRule) -> None:
        """Add a rule, to the file first. For a thread. Raises ConfigError."""
        save_in_list(self.file, self._keys(saved), str(saved.rule), there=True)
        if saved not in self._rules:
            self._rules.append(saved)

    def delete(self, saved: SavedRule) -> None:
        """Take a rule out, of the file first. For a thread. Raises ConfigError."""
        save_in_list(self.file, self._keys(saved), str(saved.rule), there=False)
        if saved in self._rules:
            self._rules.remove(saved)

    def _keys(self, saved: SavedRule) -> list[str]:
        if not saved.root:
            return ["approval", saved.verdict]
        return ["approval", "roots", self._written.get(saved.root, saved.root), saved.verdict]
