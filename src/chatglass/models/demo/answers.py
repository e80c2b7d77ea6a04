"""What the demo says of itself: from a request to the `Reply` it gets when nothing is scripted."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from chatglass.models.demo import script, summaries, texts
from chatglass.models.demo.counting import PER_MESSAGE, count, pieces
from chatglass.models.demo.intents import Wish, stages
from chatglass.models.demo.results import describe
from chatglass.models.demo.script import Call, Reply
from chatglass.models.wire import JsonObject
from chatglass.values.figures import counted

_WORDS = re.compile(
    r"\b(\d[\d,.]*)[\s-]*words?\b(?:\s+(?:about|on|of)\s+(?P<topic>[^.?!\n]+))?", re.I
)
_LONG = re.compile(
    r"\blong\s+(?:answer|text|reply|story|essay)\b(?:\s+(?:about|on)\s+(?P<topic>[^.?!\n]+))?", re.I
)
_HELLO = re.compile(
    r"\s*(?:hi|hello|hey|good (?:morning|evening|day)|help|start|what can (?:you|i) do)\b", re.I
)
_THINK_ABOUT = re.compile(r"\s*(?:please\s+)?(?:think|reason)\s+about\s+(?P<topic>[^.?!\n]+)", re.I)
_THINK = re.compile(r"\b(?:think|reason|reasoning|step by step)\b", re.I)
_SIMULATE = re.compile(
    r"\bsimulate\b.*?\b(rate limit|429|server error|500|cut|overflow|empty|html)\b", re.I
)
_FIRST = re.compile(
    r"\bwhat (?:did|was it that) I (?:ask|say|write)\b.*?\b(first|last|before)\b", re.I
)
_MOST_WORDS = 20_000


def answer(request: JsonObject, *, attempt: int = 1) -> Reply:
    """The reply to a valid request; `attempt` counts requests with this very body."""
    messages = cast("Sequence[JsonObject]", request["messages"])
    tools = cast("Sequence[JsonObject]", request.get("tools") or ())
    last_prompt = max((i for i, m in enumerate(messages) if m["role"] == "user"), default=-1)
    prompt = text_of(messages[last_prompt]) if last_prompt >= 0 else ""
    if messages[0]["role"] == "system" and text_of(messages[0]).startswith(summaries.REQUEST):
        return Reply(text=summaries.summary_of(prompt))
    failure = _simulated(prompt, attempt)
    if failure is not None:
        return failure
    since = messages[last_prompt + 1 :]
    reply = _with_tools(prompt, since, tools)
    if reply is None:
        earlier = [text_of(m) for m in messages[: max(last_prompt, 0)] if m["role"] == "user"]
        reply = Reply(text=_plain(prompt, earlier))
    reasoning = _reasoning(request, prompt, len(messages), reply)
    return dataclasses.replace(reply, reasoning=reasoning) if reasoning else reply


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, of all its text parts where its content is an array."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (cast("JsonObject", part).get("text") for part in cast("list[Any]", content))
        return "\n".join(part for part in parts if isinstance(part, str))
    return ""


def shorten(reply: Reply, most: int) -> Reply:
    """`reply` cut to `most` completion tokens, as a server does at `max_tokens`."""
    reasoning = "".join(pieces(reply.reasoning)[:most])
    left = most - count(reasoning)
    text = "".join(pieces(reply.text)[:left])
    left -= count(text)
    calls: list[Call] = []
    for call in reply.calls:
        left -= PER_MESSAGE + count(call.name)
        if left <= 0:
            break
        arguments = "".join(pieces(call.arguments)[:left])
        left -= count(arguments)
        calls.append(dataclasses.replace(call, arguments=arguments))
    return dataclasses.replace(
        reply, text=text, reasoning=reasoning, calls=tuple(calls), finish_reason="length"
    )


# -- tools
def _with_tools(
    prompt: str, since: Sequence[JsonObject], tools: Sequence[JsonObject]
) -> Reply | None:
    """The next round of calls, or the answer from the results; None where no tool is asked for."""
    wanted = stages(prompt, tools)
    rounds = sum(1 for m in since if m["role"] == "assistant" and m.get("tool_calls"))
    if rounds == 0 and not wanted:
        return None
    there = {str(tool.get("function", {}).get("name")) for tool in tools}
    if rounds < len(wanted):
        calls = [wish for wish in wanted[rounds] if wish.name in there]
        if calls:
            return Reply(
                text=_announce(calls, rounds),
                calls=tuple(Call(name=w.name, arguments=w.arguments_json) for w in calls),
            )
        if rounds == 0:
            return Reply(text=_without(wanted[0]))
    return Reply(text=describe(since))


def _announce(calls: Sequence[Wish], rounds: int) -> str:
    names = [f"`{wish.name}`" for wish in calls]
    if rounds:
        return f"That is done. Next is {' and '.join(names)}."
    if len(names) == 1:
        return f"I'll use {names[0]} for that."
    return f"These don't depend on each other, so I'll call {', '.join(names[:-1])} and {names[-1]} at once."


def _without(wishes: Sequence[Wish]) -> str:
    names = ", ".join(dict.fromkeys(f"`{wish.name}`" for wish in wishes))
    return (
        f"For that I would call {names}, but this request offers me no such tool. "
        "Tools may be switched off for this session or endpoint."
    )


# -- text
def _plain(prompt: str, earlier: Sequence[str]) -> str:
    lowered = prompt.lower()
    asked = _FIRST.search(prompt)
    if asked:
        return _remembered(asked[1].lower(), earlier)
    long = _WORDS.search(prompt) or _LONG.search(prompt)
    if long:
        digits = re.sub(r"\D", "", long[1]) if long.re is _WORDS else ""
        words = min(int(digits or 1500), _MOST_WORDS)
        return texts.long_text((long["topic"] or "many things").strip(" \"'`")[:80], words)
    if not prompt.strip() or _HELLO.match(prompt):
        return texts.WELCOME
    thought = _THINK_ABOUT.match(prompt)
    if thought:
        return texts.reflection(thought["topic"].strip(" \"'`")[:80])
    if "markdown" in lowered:
        return texts.MARKDOWN
    if re.search(r"\b(?:code|program|function|python|script)\b", lowered):
        return texts.CODE
    if "summar" in lowered and re.search(r"\b(?:conversation|session|chat|far)\b", lowered):
        return _summary(earlier)
    if re.match(r"\s*(?:thanks|thank you|bye|goodbye)\b", lowered):
        return "You're welcome. The session is kept; `chatglass -c` goes on with it."
    return _unknown(prompt, len(earlier))


def _remembered(which: str, earlier: Sequence[str]) -> str:
    if not earlier:
        return "This is the first thing that you have asked in this session."
    said = earlier[0] if which == "first" else earlier[-1]
    place = "First" if which == "first" else "Just before this"
    return f"{place} you asked:\n\n{_quote(said)}\n\nYou have sent {counted(len(earlier) + 1, 'prompt')} so far."


def _summary(earlier: Sequence[str]) -> str:
    if not earlier:
        return "There is nothing to sum up yet."
    asked = "\n".join(f"{i}. {_first_line(text)}" for i, text in enumerate(earlier, 1))
    return f"So far you asked for:\n\n{asked}"


def _unknown(prompt: str, earlier: int) -> str:
    return (
        "I am the **built-in demo model**: scripted, free, and without a thought of my own. "
        f"You wrote:\n\n{_quote(prompt)}\n\n"
        "For that a real model is needed. What I can show you:\n\n"
        "- `what time is it and what is 17*23?` calls two tools at once\n"
        "- `list the files and read README.md` looks into this folder\n"
        "- `write a file notes.txt saying hello` asks you first\n"
        "- `show me markdown`, `think about the sea`, `write 2000 words about rivers`\n"
        "- `hello` shows the whole list\n"
        + (f"\nThis is prompt {earlier + 1} of this session." if earlier else "")
    )


def _quote(text: str) -> str:
    lines = text.strip().splitlines()[:6]
    return "\n".join(f"> {line[:300]}" for line in lines) or "> (nothing)"


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["(nothing)"])[0][:120]


# -- reasoning and failures
def _reasoning(request: JsonObject, prompt: str, messages: int, reply: Reply) -> str:
    effort = request.get("reasoning_effort")
    if effort in ("none", "minimal"):
        return ""
    asked = _THINK.search(prompt) or request.get("model") == "demo-reasoning"
    if not asked and not isinstance(effort, str):
        return ""
    thoughts = [
        f'The user wrote: "{_first_line(prompt)}". The list has {messages} messages.',
        "I am a scripted demo, so I look for words that I know.",
        f"This needs {len(reply.calls)} tool calls." if reply.calls else "No tool is needed.",
        "The calls don't depend on each other, so they can go out together."
        if len(reply.calls) > 1
        else "There is one way to answer this, so I take it.",
        "The answer should be in Markdown, and say where its figures come from.",
        "I should not claim to know more than the results say.",
        "If a result is an error or a denial, I have to tell it rather than guess.",
        "That is enough; now to the answer.",
    ]
    shown = {"low": 3, "medium": 6}.get(str(effort), len(thoughts))
    return " ".join(thoughts[: shown - 1] + thoughts[-1:])


def _simulated(prompt: str, attempt: int) -> Reply | None:
    """A failure that the prompt asks for; a rate limit goes away with the second attempt."""
    wanted = _SIMULATE.search(prompt)
    if wanted is None:
        return None
    match wanted[1].lower():
        case "rate limit" | "429" if attempt == 1:
            return script.rate_limited("3")
        case "server error" | "500":
            return script.server_error()
        case "overflow":
            return script.context_overflow()
        case "html":
            return script.html()
        case "empty":
            return Reply()
        case "cut":
            return Reply(text=texts.long_text("a stream that is cut", 120), cut_before=60)
        case _:
            return Reply(text="The rate limit is over, and here is the answer.")
