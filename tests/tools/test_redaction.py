"""Keys in texts, in pieces of texts and in environments."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatglass.tools.environment import key_name, tool_environment
from chatglass.tools.redaction import REDACTED, Redactor

KEY = "sk-abc123def456"
LONGER = KEY + "-789"


@given(
    st.lists(st.sampled_from([KEY, LONGER, "sk-", "sk-abc", "123", " ", "x", "é"])), st.randoms()
)
def test_pieces_are_redacted_like_the_whole(parts: list[str], random):  # type: ignore[no-untyped-def]
    text = "".join(parts)
    redactor = Redactor([KEY, LONGER])
    stream = redactor.stream()
    result, place = "", 0
    while place < len(text):
        size = random.randint(1, 9)
        result += stream.feed(text[place : place + size])
        assert KEY not in result
        place += size
    result += stream.finish()
    assert KEY not in result
    # A shorter key may be recognised before the longer one is whole.
    assert result.replace(f"{REDACTED}-789", REDACTED) == redactor.redact(text)


def test_placeholders_are_no_keys():
    redactor = Redactor(["ollama", "none", "", "lm-studio", "EMPTY"])
    assert redactor.redact("ollama and lm-studio: none") == "ollama and lm-studio: none"


def test_environment():
    base = {
        "PATH": "/bin", "HOME": "/h", "PWD": "/", "SSH_AUTH_SOCK": "/s", "LANG": "C", "KEYBOARD": "de",
        "TOKENIZERS_PARALLELISM": "1", "AWS_REGION": "eu", "NO_COLOR": "0",
        "OPENAI_API_KEY": "a", "X_APIKEY": "a", "GH_TOKEN": "a", "token": "a", "DB_PASSWORD": "a",
        "AWS_SECRET_ACCESS_KEY": "a", "AWS_ANYTHING": "a", "CLIENT_SECRET": "a", "MY_SECRET_FILE": "a",
        "STRANGE": "a", "HIDDEN": KEY, "INSIDE": f"https://u:{KEY}@h/", "TEXTUAL_FPS": "240",
    }  # fmt: skip
    found = tool_environment(base, known_keys=[KEY, "", "ollama"], key_variables=["STRANGE"])
    assert set(found) - {"TERM", "PAGER", "GIT_PAGER", "GIT_TERMINAL_PROMPT"} == {
        "PATH",
        "HOME",
        "PWD",
        "SSH_AUTH_SOCK",
        "LANG",
        "KEYBOARD",
        "TOKENIZERS_PARALLELISM",
        "AWS_REGION",
        "NO_COLOR",
    }
    assert found["NO_COLOR"] == "0"
    assert tool_environment({})["NO_COLOR"] == "1"
    assert not key_name("OLDPWD")
