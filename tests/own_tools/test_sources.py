"""Files that can't be imported, what of a module counts, entry points of real packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from own_tools.loaded import Loaded

GOOD = 'def good(a: int) -> int:\n    """Good."""\n    return a\n'


@pytest.mark.parametrize(
    ("text", "cause", "way_on"),
    [
        ("def a(:\n", "line 1: ", "Mend it"),
        ("\nimport nowhere_at_all\n", "line 2: No module named 'nowhere_at_all'", "--with NAME"),
        ("x = 1\n\nx.y\n", "line 3: AttributeError", "Mend it"),
        ("import sys\nsys.exit('no')\n", "line 2: SystemExit: no", "Mend it"),
        ("import os\nos._exit(5)\n", "its process ended with exit code 5", ""),
        ("import time\ntime.sleep(60)\n", "its import took more than 3 s, and was ended", ""),
        ("x = 1\n", "it has no tools", "A public function with type hints is one."),
    ],
)
async def test_a_file_that_fails_is_named_and_costs_itself_alone(
    tmp_path: Path, text: str, cause: str, way_on: str
) -> None:
    bad, good = tmp_path / "bad.py", tmp_path / "good.py"
    bad.write_text(text)
    good.write_text(GOOD)
    async with Loaded(tmp_path, bad, good, loading_s=3.0) as loaded:
        assert loaded.names == ["good"]
        (problem,) = loaded.own.problems
        assert problem.source == str(bad)
        assert cause in problem.text
        assert way_on in problem.text


async def test_what_of_a_module_counts(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("def helper(a: int) -> int:\n    return a\n")
    # Named like a module of Python's, which must stay what it is.
    plain = tmp_path / "json.py"
    plain.write_text(
        dedent("""
        import json
        from beside import helper
        from os.path import join

        class Thing: ...

        def public(a: int) -> str:
            return json.dumps(helper(a))

        def _private(a: int) -> int:
            return a
        """)
    )
    chosen = tmp_path / "chosen.py"
    chosen.write_text(GOOD + '\n\ndef other() -> str: ...\n\n\n__all__ = ["good", "missing"]\n')
    async with Loaded(tmp_path, plain, chosen) as loaded:
        assert sorted(loaded.names) == ["good", "public"]
        assert loaded.problems == ["missing: __all__ names it, and it is not there."]
        assert (await loaded.call("public", a=1)).seen == "1"


async def test_two_files_with_one_name(tmp_path: Path) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text(GOOD)
    second.write_text(GOOD)
    async with Loaded(tmp_path, first, second) as loaded:
        assert loaded.names == ["good"]
        (problem,) = loaded.own.problems
        assert "good: a tool of " in problem.text
        assert problem.text.endswith("has this name already. Rename the function.")


def test_entry_points_of_an_installed_package(tmp_path: Path) -> None:
    """A package on the path with the metadata that an installer writes."""
    (tmp_path / "weather.py").write_text(
        GOOD + "\n\ndef rainy(town: str) -> bool:\n    return True\n\n\nTOOLS = [good, rainy]\n"
    )
    info = tmp_path / "weather-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: weather\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[chatglass.tools]\nall = weather:TOOLS\nlost = weather:NONE\n"
    )
    ran = subprocess.run(
        [Path(sys.executable).with_name("chatglass"), "tools", "list"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    rows = [line for line in ran.stdout.splitlines() if "weather" in line]
    assert [row.split()[0] for row in rows] == ["good", "rainy"]
    assert "own weather 1.2 (all)" in rows[0]
    assert "weather 1.2 (lost): weather has no NONE. Its entry point names" in ran.stderr
    assert ran.returncode == 1
    assert os.fspath(tmp_path) not in ran.stdout
