"""Writes the references that are made from the program: docs/keys.md and docs/settings.md.

python docs/make.py            write them
python docs/make.py --check    exit with 1 if one of them is not what would be written
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from chatglass.cli import whole_parser
from chatglass.config.settings import Settings
from chatglass.tui.actions.registry import Actions

DOCS = Path(__file__).parent

SETTINGS_HEAD = """\
# Settings

`config.toml` stands in the platform's settings folder (`~/.config/chatglass/` on Linux,
`~/Library/Application Support/chatglass/` on macOS); `--config` or `$CHATGLASS_CONFIG` names
another file. There need not be one. A key that is not listed here is refused, with the nearest
right one. What you choose in the program (the theme, the sidebar) is written into the same file,
and your comments stay.

```toml
endpoint = "work"
theme = "chatglass-light"

[endpoints.work]
base_url = "https://llm.example.com/v1"
api_key_cmd = "pass show llm/work"
models = ["qwen3-coder"]

[endpoints.laptop]
base_url = "http://localhost:11434/v1"

[prices."qwen3-coder"]
input = 0.30
output = 1.20

[keys]
"session.new" = "f9"
```
"""


def keys() -> str:
    """docs/keys.md: the registry of actions with its default keys."""
    return Actions().to_markdown()


def settings() -> str:
    """docs/settings.md: the model that reads the file, with its docstrings."""
    schema = Settings.model_json_schema()
    tables: dict[str, Any] = schema["$defs"]
    plain = {
        name: field
        for name, field in schema["properties"].items()
        if not _table(field) and not _is_map(field)
    }
    parts = [SETTINGS_HEAD, _section("At the top", "", plain)]
    for name, field in schema["properties"].items():
        if found := _table(field):
            table = tables[found]
            title, _, about = _one_line(table).partition(": ")
            sentence = about[:1].upper() + about[1:]
            parts.append(_section(title, sentence, table["properties"], table.get("required", ())))
        elif _is_map(field):
            parts.append(f"## `[{name}]`\n\n{_one_line(field)} [keys.md](keys.md) lists them.\n")
    return "\n".join(parts)


def _section(title: str, about: str, fields: dict[str, Any], required: Any = ()) -> str:
    lines = [f"## {title}", ""]
    if about:
        lines += [about, ""]
    lines += ["| key | value | unset | what it does |", "|---|---|---|---|"]
    for name, field in fields.items():
        unset = "must be given" if name in required else _default(field)
        lines.append(f"| `{name}` | {_kind(field)} | {unset} | {_one_line(field)} |")
    return "\n".join(lines) + "\n"


def _one_line(field: dict[str, Any]) -> str:
    return " ".join(field["description"].split())


def _table(field: dict[str, Any]) -> str | None:
    """The name of the table that stands there, by itself or under names of the user's."""
    reference = field.get("$ref") or _values(field).get("$ref")
    return reference.rpartition("/")[2] if reference else None


def _values(field: dict[str, Any]) -> dict[str, Any]:
    values = field.get("additionalProperties")
    return values if isinstance(values, dict) else {}


def _is_map(field: dict[str, Any]) -> bool:
    return field.get("type") == "object" and _values(field) == {"type": "string"}


def _kind(field: dict[str, Any]) -> str:
    one = next((kind for kind in field.get("anyOf", ()) if kind.get("type") != "null"), field)
    bounds = ""
    if "exclusiveMinimum" in one:
        bounds = f" above {one['exclusiveMinimum']:g}"
    elif "minimum" in one and "maximum" in one:
        bounds = f" from {one['minimum']:g} to {one['maximum']:g}"
    elif "minimum" in one:
        bounds = f" from {one['minimum']:g}"
    if "$ref" in _values(field):
        return "table of tables"
    kinds = {
        "string": "text",
        "boolean": "`true` or `false`",
        "integer": "whole number",
        "number": "number",
        "array": "list of texts",
        "object": "table of texts",
    }
    return kinds[one["type"]] + bounds


def _default(field: dict[str, Any]) -> str:
    value = field.get("default")
    return "—" if value in (None, [], {}) else f"`{json.dumps(value)}`"


def manual() -> str:
    """docs/chatglass.1: the manual page, from the parser. Dateless, so that it changes with the
    program alone."""
    import os

    # argparse folds lines to the terminal's width.
    os.environ["COLUMNS"] = "80"
    from argparse_manpage.manpage import Manpage

    parser = whole_parser()
    # The commands have a section of their own here.
    before, _, after = (parser.epilog or "").partition("commands (")
    parser.epilog = before + after.partition("\n\n")[2]
    about = {
        "project_name": "chatglass",
        "version": version("chatglass"),
        "manual_title": "User Commands",
        "description": "a full-screen terminal chat for language models",
        "date": "undated",
    }
    page = str(Manpage(parser, about, format="pretty"))
    return page.replace('"undated"', '""').replace(".SH COMMENTS", ".SH NOTES")


PAGES: dict[str, Callable[[], str]] = {
    "keys.md": keys,
    "settings.md": settings,
    "chatglass.1": manual,
}


def main(arguments: list[str]) -> int:
    stale = [
        name
        for name, make in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != make()
    ]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/{name} is not what the program says; write it with: make docs")
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
