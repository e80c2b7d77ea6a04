"""What may not stand in any tracked file, and what pyproject.toml must say."""

from __future__ import annotations

import re
import tomllib
from itertools import chain

from distribution.repository import ROOT, tracked_files

# In pieces, so that this file does not hold what it looks for.
_HOSTS = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com"]
_OPTIONS = ["--index" + "-url", "--extra-index" + "-url", "--find" + "-links"]
# Where a checkout or a home folder of one machine is.
_PLACES = re.compile(r"(?<![\w.~-])/(?:work/(?:main|shared)\b|root/\.?\w|opt/wheels|opt/pypi)")


def _lines_with(needle: re.Pattern[str]) -> list[str]:
    found: list[str] = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), 1)
            if needle.search(line)
        ]
    return found


def test_no_file_names_a_registry() -> None:
    hosts = re.compile("|".join(map(re.escape, _HOSTS)), re.IGNORECASE)
    assert _lines_with(hosts) == []


def test_the_lock_names_no_address_and_a_hash_for_each_version() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert not any(option in text for option in _OPTIONS)
    entries = re.split(r"\n(?=[\w.-]+==)", text)[1:]
    assert len(entries) > 20
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert _lines_with(_PLACES) == []


def _dependencies() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *chain(*project["optional-dependencies"].values())]


def test_every_dependency_says_why_and_has_a_range() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    assert len(_dependencies()) > 15
    for dependency in _dependencies():
        line = next(line for line in lines if line.strip().startswith(f'"{dependency}"'))
        assert re.search(r'",\s+# .*\w{3}', line), f"no reason: {dependency}"
        assert re.search(r">=.*,<", dependency), f"no range: {dependency}"


def test_the_lock_pins_every_dependency() -> None:
    names = {re.split(r"[<>=;\[ ]", dependency)[0].lower() for dependency in _dependencies()}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = {match[1].lower() for match in re.finditer(r"^([\w.-]+)==", lock, re.MULTILINE)}
    assert names - pinned == set(), "write the lock anew with: make lock"
