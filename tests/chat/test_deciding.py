"""From a call to its decision: policies, edited arguments, loops and the most requests of a turn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chat.harness import Bench, ScriptedTool, ask, calls, echo, tool
from chatglass.chat.approvals import SessionPolicy
from chatglass.chat.engine import Engine, TurnRules
from chatglass.chat.events import Notice, ToolCallDecided, UserSpoke
from chatglass.chat.ports import (
    Ask,
    Decision,
    EndTurn,
    GoOn,
    Pause,
    PendingCall,
    TellModel,
)
from chatglass.config.settings import ApprovalMode
from chatglass.tools.places import Surroundings
from chatglass.tools.rules.rule import parse_rule
from chatglass.tools.rules.rule_book import RuleBook, SavedRule
from chatglass.tools.tool import Assessment, JsonObject, ToolSpec, Verdict


def policy(
    *,
    mode: ApprovalMode = "default",
    allowed: frozenset[str] = frozenset(),
    by_yolo: bool = False,
    tools: dict[str, Verdict] | None = None,
    **rules: list[str],
) -> SessionPolicy:
    saved = tuple(
        SavedRule(verdict, parse_rule(text))  # type: ignore[arg-type]
        for verdict, texts in rules.items()
        for text in texts
    )
    book = RuleBook(Surroundings(home=Path("/home/nobody")), saved, tools or {})
    return SessionPolicy("/", rules=lambda root: book, mode=mode, allowed=allowed, by_yolo=by_yolo)


def call(verdict: Verdict = "ask", *, always: bool = False, name: str = "work") -> PendingCall:
    return PendingCall(
        session_id="s", turn_id="t", tool_call_id="c", arguments={"x": 1}, root="/",
        spec=ToolSpec(name=name, description="", parameters={}),
        assessment=Assessment(verdict=verdict, why="Why.", rule="own word", always_ask=always),
    )  # fmt: skip


def said(found: Decision | Ask) -> tuple[str, str]:
    return ("ask", found.by) if isinstance(found, Ask) else (found.verdict, found.decided_by)


RULE = 'work({"x": 1})'


@pytest.mark.parametrize(
    ("made", "asked", "reads", "always"),
    [
        (policy(), ("ask", "own word"), ("allow", "own word"), ("ask", "own word")),
        (policy(mode="ask"), ("ask", "mode ask"), ("ask", "mode ask"), ("ask", "own word")),
        (policy(mode="all"), ("allow", "mode all"), ("allow", "mode all"), ("ask", "own word")),
        (policy(by_yolo=True), ("allow", "flag --yolo"), ("allow", "flag --yolo"), ("ask", "own word")),
        (policy(allow=[RULE]), ("allow", f"rule {RULE}"), ("allow", f"rule {RULE}"), ("ask", "own word")),
        (policy(allow=[RULE], mode="ask"), ("ask", "mode ask"), ("ask", "mode ask"), ("ask", "own word")),
        (policy(ask=[RULE], mode="all"), ("ask", f"rule {RULE}"), ("ask", f"rule {RULE}"), ("ask", "own word")),
        (policy(deny=[RULE], mode="all"), *[("deny", f"rule {RULE}")] * 3),
        (policy(deny=["work"], allow=[RULE], by_yolo=True), *[("deny", "rule work")] * 3),
        (policy(allowed=frozenset({"work"})), *[("allow", "flag --allow-tool work")] * 2, ("ask", "own word")),
        (policy(allowed=frozenset({"work"}), mode="ask"), *[("allow", "flag --allow-tool work")] * 2, ("ask", "own word")),
        (policy(allowed=frozenset({"work"}), deny=["work"]), *[("deny", "rule work")] * 3),
        (policy(tools={"work": "ask"}), *[("ask", "policy work = ask")] * 2, ("ask", "own word")),
        (policy(tools={"work": "ask"}, mode="all"), *[("allow", "mode all")] * 2, ("ask", "own word")),
        (policy(tools={"work": "allow"}), *[("allow", "policy work = allow")] * 2, ("ask", "own word")),
        (policy(tools={"work": "allow"}, mode="ask"), *[("ask", "mode ask")] * 2, ("ask", "own word")),
        (policy(tools={"work": "deny"}, allow=["work"], by_yolo=True), *[("deny", "policy work = deny")] * 3),
    ],
)  # fmt: skip
def test_what_decides(
    made: SessionPolicy,
    asked: tuple[str, str],
    reads: tuple[str, str],
    always: tuple[str, str],
) -> None:
    assert said(made.judge(call("ask"))) == asked
    assert said(made.judge(call("allow"))) == reads
    assert said(made.judge(call("ask", always=True))) == always
    assert said(made.judge(call("deny"))) == ("deny", "own word")


def test_a_grant_holds_unless_everything_asks() -> None:
    made = policy()
    made.grants.grant(call())
    assert said(made.judge(call())) == ("allow", "session grant")
    made.mode = "ask"
    assert said(made.judge(call())) == ("ask", "mode ask")


def test_a_mode_chosen_later_is_no_flag() -> None:
    made = policy(by_yolo=True)
    made.mode = "default"
    made.mode = "all"
    assert said(made.judge(call())) == ("allow", "mode all")


# -- in a turn


class Asked:
    """Answers with what it was given, and keeps what it was asked."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.questions: list[PendingCall | Pause] = []

    async def __call__(self, question: PendingCall | Pause):
        self.questions.append(question)
        return self.answers.pop(0)


async def test_who_or_what_decided_is_told_and_kept(here: Bench) -> None:
    made = tool("work", echo, verdict="ask")
    here.demo.script(calls(("work", {"x": "1"}), ("work", {"x": "2"})), "ok")
    allowing = policy(allow=['work({"x": "1"})'])
    user = Asked(Decision(verdict="deny", decided_by="user"))
    engine = await here.engine(tools=[made], judge=allowing.judge, decide=user)
    turn = await ask(engine)
    rows = {json.loads(row.arguments)["x"]: row for row in await here.calls(engine)}
    assert rows["1"].decided_by == 'rule work({"x": "1"})'
    assert rows["2"].decided_by == "user"
    assert {event.decided_by for event in turn.of(ToolCallDecided)} == {
        'rule work({"x": "1"})',
        "user",
    }
    [question] = user.questions
    assert isinstance(question, PendingCall)
    assert question.asked_by == "policy: test"


class Placed(ScriptedTool):
    """Its path is its argument; what begins with `.` always asks."""

    def assess(self, arguments: JsonObject, root: Path) -> Assessment:
        path = str(arguments["x"])
        return Assessment(
            verdict="ask", why="W.", rule="r", details={"path": path}, always_ask=path[0] == "."
        )


def edited(x: str) -> Decision:
    return Decision(verdict="edited", decided_by="user", arguments={"x": x})


YES = Decision(verdict="allow", decided_by="user")


async def placed(here: Bench, *answers: object, **rules: list[str]) -> tuple[Engine, Asked, Placed]:
    made = Placed(echo, tool("work", echo).spec)
    user = Asked(*answers)
    here.demo.script(calls(("work", {"x": "a"})), "ok")
    engine = await here.engine(tools=[made], decide=user, judge=policy(**rules).judge)
    await ask(engine)
    return engine, user, made


async def test_an_edited_call_of_which_there_is_more_to_say_asks_again(here: Bench) -> None:
    engine, user, made = await placed(here, edited(".git"), YES)
    assert made.runs == [{"x": ".git"}]
    again = user.questions[1]
    assert isinstance(again, PendingCall)
    assert (again.edited, again.arguments, again.assessment.always_ask) == (
        True,
        {"x": ".git"},
        True,
    )
    [row] = await here.calls(engine)
    assert (row.decided_by, json.loads(row.edited_arguments or "")) == ("user", {"x": ".git"})
    assert json.loads(row.arguments) == {"x": "a"}


async def test_it_is_asked_about_as_often_as_it_is_edited(here: Bench) -> None:
    _, user, made = await placed(here, edited("b"), edited("c"), edited("c"))
    assert made.runs == [{"x": "c"}]
    assert len(user.questions) == 3


async def test_what_was_edited_may_still_be_denied(here: Bench) -> None:
    _, user, made = await placed(
        here, edited(".git"), Decision(verdict="deny", decided_by="user", reason="no")
    )
    assert not made.runs
    assert len(user.questions) == 2


async def test_what_rules_deny_no_edit_gets_past(here: Bench) -> None:
    engine, user, made = await placed(here, edited("z"), deny=['work({"x": "z"})'])
    assert not made.runs
    assert len(user.questions) == 1
    [row] = await here.calls(engine)
    assert (row.state, row.decided_by) == ("denied", 'rule work({"x": "z"})')


async def test_what_rules_allow_an_edit_may_run(here: Bench) -> None:
    _, user, made = await placed(here, edited("z"), allow=['work({"x": "z"})'])
    assert made.runs == [{"x": "z"}]
    assert len(user.questions) == 1


# -- pauses

SAME = ("echo", {"x": "same"})


async def looping(here: Bench, times: int, *answers: object):
    made = tool("echo", echo)
    user = Asked(*answers)
    here.demo.script(*(calls(SAME) for _ in range(times)), "done")
    engine = await here.engine(tools=[made], go_on=user, rules=TurnRules(loop_after=3))
    return engine, user, made, await ask(engine)


async def test_a_loop_pauses_and_may_go_on_for_as_many_more(here: Bench) -> None:
    engine, user, made, turn = await looping(here, 7, GoOn(), GoOn())
    assert turn.status == "complete"
    assert len(made.runs) == 7
    assert [pause.count for pause in user.questions] == [3, 6]
    first = user.questions[0]
    assert isinstance(first, Pause)
    assert (first.kind, first.name, first.arguments, first.more) == ("loop", *SAME, 3)
    rows = await here.calls(engine)
    assert rows[2].decided_by == "policy: test, and the user at a loop"
    assert rows[3].decided_by == "policy: test"


async def test_a_loop_may_be_told_to_the_model(here: Bench) -> None:
    engine, _, made, turn = await looping(here, 3, TellModel("look elsewhere"))
    assert turn.status == "complete"
    assert len(made.runs) == 2
    contents = [row.content for row in await here.rows(engine) if row.role == "tool"]
    assert contents[2] == "This call was denied by user. Reason: look elsewhere"


async def test_a_loop_may_end_the_turn(here: Bench) -> None:
    engine, _, made, turn = await looping(here, 3, EndTurn())
    assert turn.status == "limit"
    assert len(made.runs) == 2
    rows = await here.rows(engine)
    assert [row.role for row in rows[-2:]] == ["assistant", "tool"], "every call is answered"
    here.demo._script.clear()  # pyright: ignore[reportPrivateUsage]
    here.demo.script("ok")
    assert (await ask(engine, "again")).status == "complete"


async def test_stopping_works_while_the_turn_stands_still(here: Bench) -> None:
    async def stop(pause: Pause) -> GoOn:
        engine.stop()
        import asyncio

        await asyncio.Event().wait()
        return GoOn()

    here.demo.script(*(calls(SAME) for _ in range(3)), "done")
    engine = await here.engine(tools=[tool("echo", echo)], go_on=stop)
    assert (await ask(engine)).status == "interrupted"


async def test_a_call_that_asks_anyway_says_that_it_repeats(here: Bench) -> None:
    user = Asked(*[YES] * 3)
    here.demo.script(*(calls(SAME) for _ in range(3)), "done")
    engine = await here.engine(
        tools=[tool("echo", echo, verdict="ask")], decide=user, go_on=Asked()
    )
    assert (await ask(engine)).status == "complete"
    whys = [question.assessment.why for question in user.questions]  # type: ignore[union-attr]
    assert "3 times" in whys[2]
    assert "times" not in whys[1]


async def capped(here: Bench, requests: int, *answers: object):
    user = Asked(*answers)
    here.demo.script(*(calls(("echo", {"x": str(n)})) for n in range(requests)), "done")
    engine = await here.engine(
        tools=[tool("echo", echo)], go_on=user, rules=TurnRules(max_requests=2)
    )
    return engine, user, await ask(engine)


async def test_the_most_requests_pause_and_may_be_as_many_again(here: Bench) -> None:
    _, user, turn = await capped(here, 4, GoOn(), GoOn())
    assert turn.status == "complete"
    assert turn.events[-1].requests == 5  # type: ignore[attr-defined]
    assert [(pause.kind, pause.count, pause.more) for pause in user.questions] == [  # type: ignore[union-attr]
        ("requests", 2, 2),
        ("requests", 4, 2),
    ]


async def test_the_most_requests_may_end_the_turn(here: Bench) -> None:
    _, _, turn = await capped(here, 4, EndTurn())
    assert turn.status == "limit"
    assert "2 requests" in turn.notices["max_requests"]
    assert turn.of(Notice)


async def test_what_the_user_says_at_a_pause_goes_with_the_next_request(here: Bench) -> None:
    engine, _, turn = await capped(here, 2, TellModel("come to an end"))
    assert turn.status == "complete"
    assert turn.one(UserSpoke).text == "come to an end"
    rows = await here.rows(engine)
    assert [row.role for row in rows] == [
        "user", "assistant", "tool", "assistant", "tool", "user", "assistant"
    ]  # fmt: skip
    assert rows[5].content == "come to an end"
    assert rows[5].turn_id == rows[0].turn_id
    sent = json.loads(here.demo.requests[-1].body)["messages"]
    assert sent[-1] == {"role": "user", "content": "come to an end"}
