"""Where things are kept, per platform (platformdirs), or all under one folder with `--data-dir`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from chatglass.config.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Paths:
    """The program's folders and files. Nothing is made until `make()` is called."""

    data: Path
    config_file: Path

    @property
    def store(self) -> Path:
        return self.data / "sessions.sqlite3"

    @property
    def log(self) -> Path:
        return self.data / "chatglass.log"

    @property
    def mcp_file(self) -> Path:
        """The user's own MCP servers."""
        return self.config_file.with_name("mcp.json")

    @property
    def mcp_trust(self) -> Path:
        return self.data / "mcp-trust.json"

    @property
    def mcp_tokens(self) -> Path:
        """OAuth tokens, where no keyring keeps them."""
        return self.data / "mcp-tokens.json"

    @property
    def open_tabs(self) -> Path:
        """A file for each process that has tabs open, or had."""
        return self.data / "open-tabs"

    @property
    def mcp_logs(self) -> Path:
        return self.data / "mcp-logs"

    def make(self) -> None:
        """Make the data folder, readable by its owner alone. Raises ConfigError."""
        try:
            self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.data.chmod(0o700)
        except OSError as error:
            raise ConfigError(
                f"The data folder {self.data} can't be used: {error.strerror}. "
                "Name another with --data-dir, or keep nothing with --no-save."
            ) from error


def find_paths(data_dir: str | None = None, config: str | None = None) -> Paths:
    """From the flags, else $CHATGLASS_DATA_DIR and $CHATGLASS_CONFIG, else the platform's folders."""
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("chatglass", appauthor=False)
    data = data_dir or os.environ.get("CHATGLASS_DATA_DIR") or dirs.user_data_dir
    file = config or os.environ.get("CHATGLASS_CONFIG")
    config_file = Path(file) if file else Path(dirs.user_config_dir) / "config.toml"
    return Paths(Path(data).expanduser().absolute(), config_file.expanduser().absolute())
