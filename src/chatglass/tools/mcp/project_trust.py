"""Asking for trust in the project's file, and looking at it again before every start."""

from __future__ import annotations

from pathlib import Path

from chatglass.config.errors import ConfigError
from chatglass.tools.mcp.config_file import McpFile
from chatglass.tools.mcp.trust import AskTrust, Grant, TrustAnswer, TrustQuestion, TrustStore
from chatglass.tools.threads import in_thread


class NotTrusted(Exception):
    """The file's servers must not start. `str()` says why; `question` is what was, or is, to be
    answered (None where the user said never)."""

    def __init__(self, text: str, question: TrustQuestion | None) -> None:
        super().__init__(text)
        self.question = question


class ProjectTrust:
    """The trust in the files of one root. `ask` None: nobody can be asked."""

    def __init__(self, store: TrustStore, root: Path, ask: AskTrust | None) -> None:
        self._store = store
        self._root = root
        self._ask = ask

    async def obtain(self, file: McpFile) -> Grant:
        """What was granted, now or before. Raises NotTrusted."""
        verdict = await self._verdict(file)
        if isinstance(verdict, Grant):
            return verdict
        if not isinstance(verdict, TrustQuestion):
            raise NotTrusted("you said that you are not to be asked about it again", None)
        grant = None
        if self._ask is not None:
            answer = await self._ask(verdict)
            grant = await in_thread(lambda _: self._remember(verdict, answer))
        if grant is None:
            raise NotTrusted("it has not been trusted", verdict)
        return grant

    async def recheck(self, file: McpFile) -> Grant:
        """What is granted still: a script may have changed since. Raises NotTrusted."""
        verdict = await self._verdict(file)
        if isinstance(verdict, Grant):
            return verdict
        question = verdict if isinstance(verdict, TrustQuestion) else None
        changed = ", ".join(question.changed) if question else ""
        raise NotTrusted(f"{changed or file.source.path} changed since it was trusted", question)

    async def _verdict(self, file: McpFile) -> object:
        return await in_thread(lambda _: self._store.verdict(file, self._root))

    def _remember(self, question: TrustQuestion, answer: TrustAnswer) -> Grant | None:
        """Raises NotTrusted where the answer can't be kept: it could not be looked at again."""
        try:
            return self._store.answer(question, answer)
        except ConfigError as error:
            raise NotTrusted(f"the answer can't be kept: {error}", question) from error
