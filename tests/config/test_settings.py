"""The settings file: what is wrong in it is named, and writing keeps the rest."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from chatglass.config.errors import ConfigError
from chatglass.config.first_look import FirstLook, first_look
from chatglass.config.paths import find_paths
from chatglass.config.settings import Settings, load_settings, save_setting


def write(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text)
    return file


def test_no_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "config.toml") == Settings()


def test_everything_that_may_stand_there(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
        endpoint = "work"
        model = "m1"
        temperature = 0.5
        [context]
        token_threshold = 1000
        infinite = false
        [turn]
        max_requests = 3
        [endpoints.work]
        base_url = "https://example.org/v1"
        api_key_env = "WORK_KEY"
        models = ["m1", "gemma3:13b"]
        headers = { "X-A" = "b" }
        context_window = 4096
        [prices."gemma3:13b"]
        input = 0.1
        output = "0.20"
        [keys]
        "session.new" = "ctrl+t"
        """,
    )
    settings = load_settings(file)
    assert settings.context.token_threshold == 1000
    assert settings.endpoints["work"].models == ("m1", "gemma3:13b")
    assert settings.prices["gemma3:13b"].input == Decimal("0.1")
    assert settings.keys == {"session.new": "ctrl+t"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('modle = "x"', "modle: there is no such setting. Did you mean model?"),
        ("[contxt]\ninfinite = true", "Did you mean context?"),
        (
            "[context]\ninfinit = true",
            "context.infinit: there is no such setting. Did you mean infinite?",
        ),
        ("[turn]\nmax_request = 1", "Did you mean max_requests?"),
        ('[endpoints.a]\nbase_urll = "http://x"', "Did you mean base_url?"),
        (
            '[endpoints.context]\nbase_url = "http://x"\napi_key_enf = "K"',
            "endpoints.context.api_key_enf: there is no such setting. Did you mean api_key_env?",
        ),
        ("[prices.turn]\ninput = 1\noutput = 1\ncached = 1", "Did you mean cached_input?"),
        ("zzz = 1", "Here may stand: "),
        ("[context]\ntoken_threshold = 0", "context.token_threshold"),
        ('temperature = "warm"', "temperature"),
        ("model = ", "is not valid TOML"),
        (
            '[approval]\nallow = "run_command"',
            'approval.allow: must be a list of texts, as ["..."]',
        ),
        ("[endpoints.a]\nmodels = []", "endpoints.a.base_url: is missing"),
        ("[turn]\nmax_requests = 1.5", "turn.max_requests: must be a whole number"),
        ('[prices.a]\ninput = "b"\noutput = 1', "prices.a.input: must be a number"),
        ("theme = 5", 'theme: must be a text, as "..."'),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    assert says in str(caught.value)
    assert str(file) in str(caught.value)


def test_all_faults_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(tmp_path, "modle = 1\ntemperature = 9\n"))
    assert "modle" in str(caught.value)
    assert "temperature" in str(caught.value)


def test_a_file_that_is_no_text_or_can_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="can't be read"):
        load_settings(file)
    with pytest.raises(ConfigError, match="can't be read"):
        load_settings(tmp_path)


def test_saving_keeps_the_rest_of_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, '# mine\ntheme = "a"  # why\n\n[keys]\n"quit" = "q"\n')
    save_setting(file, ["theme"], "b")
    save_setting(file, ["keys", "session.new"], "ctrl+t")
    text = file.read_text()
    assert text.startswith("# mine\n")
    assert "# why" in text
    assert load_settings(file).theme == "b"
    assert load_settings(file).keys == {"quit": "q", "session.new": "ctrl+t"}
    assert list(tmp_path.iterdir()) == [file], "no other file is left"


def test_saving_makes_folder_and_file(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "config.toml"
    save_setting(file, ["context", "infinite"], False)
    assert load_settings(file).context.infinite is False
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_saving_through_a_link_keeps_the_link(tmp_path: Path) -> None:
    """As people have who keep their settings in a repository."""
    kept = tmp_path / "dotfiles" / "config.toml"
    kept.parent.mkdir()
    kept.write_text('theme = "a"\n')
    link = tmp_path / "config.toml"
    link.symlink_to(kept)
    save_setting(link, ["theme"], "b")
    assert link.is_symlink()
    assert 'theme = "b"' in kept.read_text()


@pytest.mark.parametrize("text", ["theme = ", "theme = 1\n"])
def test_what_can_not_be_changed_stays_as_it_is(tmp_path: Path, text: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError, match="can't be written"):
        save_setting(file, ["theme", "name"], "b")
    assert file.read_text() == text
    assert list(tmp_path.iterdir()) == [file]


def test_the_first_look_takes_what_it_can(tmp_path: Path) -> None:
    assert first_look(tmp_path / "none") == FirstLook()
    assert first_look(write(tmp_path, "theme = ")) == FirstLook()
    look = first_look(write(tmp_path, 'theme = "x"\nsidebar = "yes"\n[keys]\na = "b"\nc = 1\n'))
    assert look == FirstLook(theme="x", keys={"a": "b"})
    assert first_look(write(tmp_path, "text_width = 0")).text_width == 0
    for wrong in ("-1", "true", '"80"'):
        assert first_look(write(tmp_path, f"text_width = {wrong}")) == FirstLook()


def test_paths_by_flag_variable_and_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATGLASS_DATA_DIR", str(tmp_path / "env"))
    monkeypatch.setenv("CHATGLASS_CONFIG", str(tmp_path / "env.toml"))
    paths = find_paths()
    assert (paths.data, paths.config_file) == (tmp_path / "env", tmp_path / "env.toml")
    paths = find_paths(str(tmp_path / "flag"), str(tmp_path / "flag.toml"))
    assert (paths.data, paths.config_file) == (tmp_path / "flag", tmp_path / "flag.toml")
    assert not paths.data.exists()
    paths.make()
    assert paths.data.stat().st_mode & 0o777 == 0o700
    monkeypatch.delenv("CHATGLASS_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert find_paths().data.name == "chatglass"


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--data-dir"):
        find_paths(str(tmp_path / "file" / "below")).make()
