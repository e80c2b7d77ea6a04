"""Connecting to a Redis: passwords, TLS, servers that won't do, and saying what is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatglass.store.open_store import make_store, store_at
from chatglass.store.protocol import StoreError
from chatglass.store.redis import RedisStore
from chatglass.store.redis.address import read_address
from chatglass.store.sqlite import SqliteStore
from store.builders import new_session, talk
from store.redis_server import RedisServer, free_port

SECRET = "s3cret:/@ word"
IN_URL = "s3cret%3A%2F%40%20word"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[RedisServer]:
    """Wants a password."""
    server = RedisServer(tmp_path / "redis", "--requirepass", SECRET).start()
    yield server
    server.stop()


async def refusal(url: str, folder: Path, password: str | None = None) -> str:
    store = RedisStore(url, folder, password=password)
    with pytest.raises(StoreError) as raised:
        await store.open()
    await store.close()
    return str(raised.value)


@pytest.mark.needs("redis")
class TestPasswords:
    async def test_in_the_url_or_beside_it(self, guarded: RedisServer, tmp_path: Path) -> None:
        with_password = guarded.url.replace("redis://", f"redis://:{IN_URL}@")
        for store in (
            RedisStore(with_password, tmp_path),
            RedisStore(guarded.url, tmp_path, password=SECRET),
        ):
            await store.open()
            row = await new_session(store)
            store.set_draft_now(row.id, "by the connection of the exit")
            assert (await store.get_session(row.id)).draft == "by the connection of the exit"
            assert "s3cret" not in store.location
            await store.close()

    async def test_a_wrong_one_is_said_and_not_shown(
        self, guarded: RedisServer, tmp_path: Path
    ) -> None:
        assert "it wants a password" in await refusal(guarded.url, tmp_path)
        told = await refusal(guarded.url, tmp_path, "wr0ng")
        assert "it refuses the password" in told
        assert "wr0ng" not in told

    async def test_one_that_changes_meanwhile_spools(
        self, guarded: RedisServer, tmp_path: Path
    ) -> None:
        store = RedisStore(guarded.url, tmp_path, password=SECRET)
        await store.open()
        row = await new_session(store)
        await store.claim(row.id)
        guarded.password = SECRET
        guarded.command("CONFIG", "SET", "requirepass", "other")
        guarded.password = "other"
        guarded.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await talk(store, row.id, 1)
        assert "refuses the password" in str(store.status)
        await store.close()


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A CA of our own (`ca.pem`), and a server's certificate for 127.0.0.1."""
    folder = tmp_path / "tls"
    folder.mkdir()

    def openssl(*args: str) -> None:
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(
        "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA",
        "-days", "2",
    )  # fmt: skip
    openssl("req", *curve, "-keyout", "redis.key", "-out", "redis.csr", "-subj", "/CN=redis")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(
        "x509", "-req", "-in", "redis.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-out", "redis.pem", "-days", "2", "-extfile", "names",
    )  # fmt: skip
    return folder


@pytest.mark.needs("redis")
async def test_tls_with_a_password_and_a_ca_of_ones_own(certificates: Path, tmp_path: Path) -> None:
    port = free_port()
    server = RedisServer(
        tmp_path / "redis", "--tls-port", str(port), "--tls-auth-clients", "no",
        "--tls-cert-file", str(certificates / "redis.pem"),
        "--tls-key-file", str(certificates / "redis.key"),
        "--tls-ca-cert-file", str(certificates / "ca.pem"), "--requirepass", SECRET,
    ).start()  # fmt: skip
    url = f"rediss://:{IN_URL}@127.0.0.1:{port}/0"
    ca = certificates / "ca.pem"
    try:
        store = RedisStore(f"{url}?ssl_ca_certs={ca}", tmp_path)
        await store.open()
        row = await new_session(store)
        store.set_draft_now(row.id, "by the connection of the exit")
        rows = await talk(store, row.id, 2)
        assert await store.path(row.id, rows[-1].id) == rows
        assert store.location == f"rediss://127.0.0.1:{port}/0"
        await store.close()
        assert "certificate can't be trusted" in await refusal(url, tmp_path)
        with pytest.raises(StoreError, match=r"none\.pem, which can't be read"):
            RedisStore(f"{url}?ssl_ca_certs={tmp_path}/none.pem", tmp_path)
        plain = await refusal(f"redis://127.0.0.1:{port}/0", tmp_path)
        assert "can't be used" in plain
    finally:
        server.stop()


@pytest.mark.needs("redis")
class TestServers:
    async def test_one_that_evicts_keys_is_refused(
        self, server: RedisServer, tmp_path: Path
    ) -> None:
        server.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        try:
            assert "throws keys away" in await refusal(server.url, tmp_path)
        finally:
            server.command("CONFIG", "SET", "maxmemory-policy", "noeviction")

    async def test_a_store_of_a_newer_version_is_left_alone(
        self, server: RedisServer, tmp_path: Path
    ) -> None:
        server.command("SET", "chatglass:version", "2")
        assert "newer chatglass" in await refusal(server.url, tmp_path)

    async def test_one_that_is_not_there_is_said_to_be_so(self, tmp_path: Path) -> None:
        url = f"redis://:{IN_URL}@127.0.0.1:{free_port()}"
        told = await refusal(url, tmp_path)
        assert "refuses connections" in told
        assert "--no-save" in told
        assert "s3cret" not in told

    async def test_databases_of_one_server_are_apart(
        self, server: RedisServer, tmp_path: Path
    ) -> None:
        one = RedisStore(server.url, tmp_path)
        other = RedisStore(f"redis://127.0.0.1:{server.port}/5", tmp_path)
        await one.open()
        await other.open()
        row = await new_session(one)
        with pytest.raises(StoreError, match=row.id):
            await other.get_session(row.id)
        await one.close()
        await other.close()


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "http://127.0.0.1",
        "redis://host:port",
        "redis://host/notanumber",
        f"redis://:{IN_URL}@host:99999",
    ],
)
def test_a_url_that_can_not_be_is_said_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"store\.url") as raised:
        RedisStore(url, tmp_path)
    assert "s3cret" not in str(raised.value)


async def test_an_unknown_part_of_a_url_is_said_without_its_password(tmp_path: Path) -> None:
    told = await refusal(f"redis://:{IN_URL}@127.0.0.1/0?nonsense=1", tmp_path)
    assert "127.0.0.1" in told
    assert "s3cret" not in told


def test_one_place_has_one_name() -> None:
    with_all = read_address("rediss://user:pw@Redis.example.com/?ssl_cert_reqs=required")
    assert with_all.shown == "rediss://redis.example.com:6379/0"
    assert with_all.key == read_address("rediss://redis.example.com:6379/0").key
    assert read_address("redis://[::1]:7000/2").shown == "redis://[::1]:7000/2"
    assert "pw" not in repr(with_all)


def test_the_settings_choose_the_engine(tmp_path: Path) -> None:
    assert isinstance(make_store(None, tmp_path), SqliteStore)
    assert isinstance(make_store("redis://localhost", tmp_path), RedisStore)
    named = make_store("redis://localhost", tmp_path, password_env="PW", env={"PW": "x"})
    assert isinstance(named, RedisStore)
    with pytest.raises(StoreError, match="PW, which is not set"):
        make_store("redis://localhost", tmp_path, password_env="PW", env={})
    with pytest.raises(StoreError, match="must begin with redis://") as raised:
        make_store("mysql://user:s3cret@host", tmp_path)
    assert "s3cret" not in str(raised.value)


def test_a_store_is_named_by_file_folder_or_url(tmp_path: Path) -> None:
    assert store_at(str(tmp_path), tmp_path).location == str(tmp_path / "sessions.sqlite3")
    assert store_at(str(tmp_path / "x"), tmp_path).location == str(tmp_path / "x")
    assert store_at("redis://localhost/1", tmp_path).location == "redis://localhost:6379/1"
    with pytest.raises(StoreError, match="A store is a file"):
        store_at("ftp://host", tmp_path)


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
sys.modules["redis"] = None
from pathlib import Path
from chatglass.store.open_store import make_store
store = make_store("redis://localhost", Path({str(tmp_path)!r}))
asyncio.run(store.open())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'chatglass[redis]'" in done.stderr


def test_sqlite_users_never_import_redis(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from chatglass.store.open_store import make_store
asyncio.run(make_store(None, Path({str(tmp_path)!r})).open())
assert not [name for name in sys.modules if name.split(".")[0] == "redis"]
assert "chatglass.store.redis" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
