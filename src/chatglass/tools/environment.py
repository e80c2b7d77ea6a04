"""The environment of tool processes: the user's own, without keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from chatglass.tools.redaction import worth_hiding

_KEY_NAME = re.compile(
    r"""
    AWS_.*
    | (.*_)? ( API_?KEY | ACCESS_?KEY | SECRET_?KEY | PRIVATE_?KEY | AUTH_?KEY
             | OTLP_HEADERS | OTLP_TRACES_HEADERS | OTLP_METRICS_HEADERS
             | TOKEN | SECRET | SECRETS | PASSWORD | PASSWD | PASSPHRASE | CREDENTIALS ) (_.*)?
    | (.*_)? (PAT | PASS | PWD)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NO_KEYS = frozenset({"PWD", "OLDPWD", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"})

# Set by this program or its libraries for themselves, or meant for a terminal that is not there.
_OURS = frozenset(
    [
        "TEXTUAL_FPS",
        "PYTHON_DOTENV_DISABLED",
        "CHUK_SANDBOX_ID",
        "COLUMNS",
        "LINES",
        "ROWS",
        "TEXTUAL_DRIVER",
        "TEXTUAL_COLOR_SYSTEM",
        "FORCE_COLOR",
        "CLICOLOR_FORCE",
    ]
)


def key_name(name: str) -> bool:
    """Whether a variable of that name is taken to hold a key."""
    return name not in _NO_KEYS and _KEY_NAME.fullmatch(name) is not None


def tool_environment(
    base: Mapping[str, str],
    *,
    known_keys: Iterable[str] = (),
    key_variables: Collection[str] = (),
    other_keys: bool = False,
) -> dict[str, str]:
    """`base` without keys, for a process whose output is captured.

    Left out: `key_variables` (every `api_key_env` of the settings), any variable whose value holds a
    known key, and names that look like keys, unless `other_keys`. NO_COLOR is set: Textual takes the user's out
    of the environment, and colour codes are only noise to a model.
    """
    keys = [key for key in known_keys if worth_hiding(key)]
    environment = {
        name: value
        for name, value in base.items()
        if name not in key_variables
        and name not in _OURS
        and (other_keys or not key_name(name))
        and not any(key in value for key in keys)
    }
    environment["NO_COLOR"] = base.get("NO_COLOR") or "1"
    environment["TERM"] = "dumb"
    # Without a terminal these would wait for somebody who can't answer.
    environment["GIT_TERMINAL_PROMPT"] = "0"
    environment["PAGER"] = environment["GIT_PAGER"] = "cat"
    return environment
