"""The subcommands by their first word, for the help and for telling them from flags."""

from __future__ import annotations

COMMANDS = {
    "sessions": "list, search, show, rename or delete saved sessions",
    "export": "write sessions as JSONL, OpenAI chat, Markdown or HTML",
    "import": "read sessions of chatglass and of other programs",
    "mcp": "list, add, remove or test MCP servers",
    "tools": "list the tools there are, or call one",
    "usage": "sum up what was spent, by day, model, tool or session",
    "prices": "show the prices of a model, or fetch the newest list",
    "serve": "open it in a browser of this machine",
    "store": "check the store, back it up, or copy its sessions to another",
    "completion": "print what makes a shell complete its flags",
    "man": "show the manual page, or print it into a pipe",
}
