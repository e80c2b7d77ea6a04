"""The list of rules for tool calls, where each comes from, and deleting one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from chatglass.config.errors import ConfigError
from chatglass.tui.dialogs.choice_list import Choice
from chatglass.tui.dialogs.dialogs import ChoiceDialog, Chosen, ConfirmDialog
from chatglass.values.text import visible

if TYPE_CHECKING:
    from chatglass.chat.workspace import Workspace
    from chatglass.tools.rules.rule_book import SavedRule
    from chatglass.tui.app import ChatglassApp
    from chatglass.tui.open_session import OpenSession

_WORDS = {"allow": "runs unasked", "ask": "asks in every mode", "deny": "never runs"}


async def show_rules(app: ChatglassApp, workspace: Workspace, session: OpenSession) -> None:
    """Show them, those of the session's folder first."""
    here = session.approval.policy.grants.root
    found = sorted(workspace.rules.rules, key=lambda saved: _order(saved, here))
    choices = [_choice(number, saved, here) for number, saved in enumerate(found)]
    choices += [
        Choice(
            "", f"{tool} = {policy}", "policy of [approval.tools]; change it in the file", "Tools"
        )
        for tool, policy in workspace.rules.tools.items()
    ]
    choices += [
        Choice("", f"{name} = allow", "flag --allow-tool, for this start", "Flags")
        for name in app.options.allow_tools
    ]
    if not choices:
        app.chat.say("There are no rules yet: 3 at a question saves one.")
        return

    async def chosen(answer: Chosen | None) -> None:
        if answer is None:
            return
        if not answer.value:
            app.chat.say(f"Only a rule can be deleted here; the rest is in {workspace.rules.file}.")
            return
        await _delete(app, workspace, found[int(answer.value)])

    dialog = ChoiceDialog(
        "Rules for tool calls",
        choices,
        hint=f"In {visible(str(workspace.rules.file))}.",
        enter="deletes the rule, after a question",
    )
    await app.push_screen(dialog, chosen)


def _order(saved: SavedRule, here: str) -> tuple[int, str, str]:
    place = 0 if saved.root == here else 1 if not saved.root else 2
    return (place, saved.root, saved.verdict)


def _choice(number: int, saved: SavedRule, here: str) -> Choice:
    if saved.root == here:
        group = f"In this folder, {saved.root}"
    else:
        group = f"In {saved.root}" if saved.root else "In every folder"
    return Choice(str(number), str(saved.rule), f"{saved.verdict}: {_WORDS[saved.verdict]}", group)


async def _delete(app: ChatglassApp, workspace: Workspace, saved: SavedRule) -> None:
    async def decided(yes: bool | None) -> None:
        if not yes:
            return
        try:
            await asyncio.to_thread(workspace.rules.delete, saved)
        except ConfigError as error:
            app.chat.say(str(error), "error")
            return
        app.chat.say(f"Deleted: {saved.rule}.")

    where = saved.root or "every folder"
    question = visible(f"{saved.rule}\n{saved.verdict}: {_WORDS[saved.verdict]}, in {where}")
    await app.push_screen(ConfirmDialog("Delete this rule?", question, yes="Delete it"), decided)
