"""Production mode: what it refuses to start with, and in which words."""

from typing import Any

import httpx
import pytest

from app.commands.safety import is_loopback, is_plain, unsafe
from app.settings import Settings
from tests.core.auth.starting import run, serving_at, start, starting
from tests.keys import ADMIN_KEY, BEARER

#: What starts.
GOOD: dict[str, Any] = {
    "mode": "production",
    "database_url": "postgresql://trade:Xk2-9fQ@db.example.org/trade",
    "admin_key": ADMIN_KEY,
    "behind_tls": True,
    "rate_limit": "1200/minute",
}


def faults(host: str = "0.0.0.0", **changes: Any) -> list[str]:
    told = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return list(unsafe(Settings(**told), host))


def test_a_good_configuration_has_no_faults() -> None:
    assert faults() == []
    assert faults(trusted_proxies="10.0.0.0/8, 127.0.0.1,fd00::/8") == []
    assert faults(trusted_proxies="") == []
    assert faults(database_url="sqlite:////var/lib/trade.db") == []
    assert faults(database_url="postgresql:///trade?host=/run/postgresql") == []
    assert faults(database_url="postgresql://trade:Xk2-9fQ@a:5432,b:5432/trade") == []
    assert faults(behind_tls=False, tls_certificate="a.pem", tls_key="b.pem") == []
    assert faults("127.0.0.1", behind_tls=False) == []
    assert faults(oidc_issuer="https://id.example.org", oidc_audience="x") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"database_url": None}, "TRADE_MISSIONS_DATABASE_URL is not set"),
        ({"behind_tls": False}, "0.0.0.0 is reached from outside, without TLS"),
        ({"rate_limit": ""}, "TRADE_MISSIONS_RATE_LIMIT is empty"),
        *(
            ({"trusted_proxies": proxies}, f"TRADE_MISSIONS_TRUSTED_PROXIES={told} believes")
            for proxies, told in (
                ("*", "*"),
                (" * ", "*"),
                ("10.0.0.1,0.0.0.0/0", "0.0.0.0/0"),
                ("::/0", "::/0"),
                ("128.0.0.0/1,0.0.0.0/1", "128.0.0.0/1"),
            )
        ),
        (
            {"oidc_issuer": "http://id.example.org", "oidc_audience": "x"},
            "TRADE_MISSIONS_OIDC_ISSUER is not https://",
        ),
        (
            {
                "oidc_issuer": "https://id.example.org",
                "oidc_audience": "x",
                "oidc_jwks_url": "http://id.example.org/jwks",
            },
            "TRADE_MISSIONS_OIDC_JWKS_URL is not https://",
        ),
        *(
            (
                {"database_url": f"postgresql://trade:{password}@db/trade"},
                "The database's password is one that everybody tries first",
            )
            for password in (
                "",
                "postgres",
                "Postgres",
                "secret",
                "changeme",
                "trade",
                "p%6Fstgres",
            )
        ),
        *(
            ({"database_url": url}, "The database's password is one that everybody tries first")
            for url in (
                "postgresql://trade:secret@a:5432,b:5432/trade",
                "postgresql://db/trade?user=trade&password=trade",
            )
        ),
    ],
)
def test_each_fault_is_told_with_what_would_be_right(changes: dict[str, Any], words: str) -> None:
    (fault,) = faults(**changes)
    assert fault.startswith(words)
    assert fault.endswith(".")


@pytest.mark.parametrize(
    ("host", "is_reached"),
    [
        ("127.0.0.1", False),
        ("127.0.0.2", False),
        ("::1", False),
        ("localhost", False),
        ("0.0.0.0", True),
        ("::", True),
        ("10.0.0.1", True),
        ("example.org", True),
        ("", True),
    ],
)
def test_what_is_reached_from_outside_is_known(host: str, is_reached: bool) -> None:
    assert is_loopback(host) is not is_reached
    assert is_plain(Settings(), host) is is_reached


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated database of SQLite; settings are judged before any database is asked."""
    url = f"sqlite:///{tmp_path_factory.mktemp('production') / 'production.db'}"
    assert run("migrate", url=url).returncode == 0
    return url


def test_a_server_tells_all_faults_at_once_and_does_not_start(file: str) -> None:
    told = start(file, "--host", "0.0.0.0", mode="production", rate_limit="")
    assert told.startswith("Production mode does not start like this:\n")
    assert told.count("\n  * ") == 3
    assert "without TLS" in told
    assert "RATE_LIMIT" in told
    assert "There is no admin key" in told
    assert "tmd_" not in told
    assert "Documentation" not in told


def test_a_good_one_starts_and_prints_no_key(file: str) -> None:
    settings = {"mode": "production", "admin_key": ADMIN_KEY, "behind_tls": "true"}
    with starting(file, "--host", "0.0.0.0", **settings) as started:
        address, told = serving_at(started)
        assert ADMIN_KEY[13:] not in told
        assert "Warning" not in told
        assert httpx.get(f"{address}/api-keys", headers=BEARER).status_code == 200


def test_development_warns_when_others_can_listen(file: str) -> None:
    told = start(file, "--host", "0.0.0.0", admin_key=ADMIN_KEY)
    assert "Warning: 0.0.0.0 can be reached from outside" in told
    assert "Documentation: " in told


def test_a_key_is_in_no_log_however_it_is_sent(file: str) -> None:
    with starting(file, admin_key=ADMIN_KEY, access_log="true") as started:
        address, told = serving_at(started)
        assert "Warning" not in told
        with httpx.Client(base_url=address, timeout=20) as client:
            made = client.post("/api-keys", json={"name": "logged"}, headers=BEARER)
            secrets = [ADMIN_KEY, made.json()["key"]]
            for secret in secrets:
                for path in ("/missions.csv", "/missions", "/nowhere", "/health/live", "/docs"):
                    client.get(f"{path}?api_key={secret}")
                    client.get(path, auth=("user", secret))
                    client.get(path, auth=(secret, ""))
                    client.get(path, headers={"Authorization": f"Token {secret}"})
        started.process.terminate()
        log = started.output.read()
    assert log.count('"/missions.csv"') >= 8
    for secret in secrets:
        assert secret[13:] not in log
