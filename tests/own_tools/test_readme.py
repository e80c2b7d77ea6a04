"""The example of the README, as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_readmes_tool_runs_as_it_is_shown(tmp_path: Path) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").split("## Your own tools")[1]
    name, code = re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)```", section, re.DOTALL)[0]
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    (tmp_path / name).write_text(code)
    (command,) = re.findall(r"^chatglass (tools call .*?)\s*#", section, re.MULTILINE)
    ran = subprocess.run(
        [Path(sys.executable).with_name("chatglass"), *shlex.split(command)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, cwd=tmp_path,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    rolled = json.loads(ran.stdout)
    assert len(rolled) == 3
    assert all(1 <= number <= 6 for number in rolled)
