"""How the demo sums up a conversation: it can't, so it lists what was asked, and what has figures."""

from __future__ import annotations

import re

REQUEST = "You keep the memory of a long conversation"
"""How the instructions of a compaction begin (chatglass.chat.compaction.prompt)."""

_EARLIER = re.compile(r"<earlier-summary>\n(.*?)\n</earlier-summary>", re.DOTALL)
_CONVERSATION = re.compile(r"<conversation>\n(.*)\n</conversation>", re.DOTALL)
_ASKED = re.compile(r"^User: (.+)", re.MULTILINE)
_DONE = re.compile(r"^Assistant calls (\S+) (.*)", re.MULTILINE)
_MOST_LINES = 60
_CHARS = 160


def summary_of(text: str) -> str:
    """The summary of what a compaction sends."""
    earlier = _EARLIER.search(text)
    said = _CONVERSATION.search(text)
    lines = earlier[1].splitlines() if earlier else []
    facts = [line for line in lines if line.startswith("- ") and not line.startswith("- called ")]
    done = [line for line in lines if line.startswith("- called ")]
    if said is not None:
        facts += [f"- asked: {asked[:_CHARS]}" for asked in _ASKED.findall(said[1])]
        done += [f"- called {name} {given[:_CHARS]}" for name, given in _DONE.findall(said[1])]
    parts = [
        "**Facts** (by the built-in demo, which only lists what was asked)",
        *dict.fromkeys(facts[-_MOST_LINES:]),
    ]
    if done:
        parts += ["", "**Done**", *dict.fromkeys(done[-_MOST_LINES // 2 :])]
    return "\n".join(parts)
