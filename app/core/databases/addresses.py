"""Addresses of databases, as people and hosts write them: read here and nowhere else."""

import os
import re
import ssl
from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlencode

from app.core.errors import did_you_mean

_FORM = "postgresql://user:password@host/name"
_HOST = r"(?:\[[^\]/?@,]+\]|[^/?@:,\[\]]*)(?::\d*)?"
_PASSWORDS = (
    r"[^@/?]*",
    # Some write a password's / and ? as they are; then the @ tells where it ends.
    r"[^@]*",
)
_SHAPES = [
    re.compile(
        rf"postgres(?:ql(?:\+\w+)?)?://(?:(?P<user>[^:/?@]*)(?::(?P<password>{password}))?@)?"
        rf"(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?"
    )
    for password in _PASSWORDS
]
#: The parameters of an address that tell where and who; they win over what stands before the `?`.
_PLACE = {"host", "port", "user", "password", "dbname"}
#: Parameters that the driver understands, and the variable that tells each to PostgreSQL's own
#: programs, where there is one.
_PASSED = {
    "application_name": "PGAPPNAME",
    "gsslib": "PGGSSLIB",
    "krbsrvname": "PGKRBSRVNAME",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "ssl_max_protocol_version": "PGSSLMAXPROTOCOLVERSION",
    "ssl_min_protocol_version": "PGSSLMINPROTOCOLVERSION",
    "sslcert": "PGSSLCERT",
    "sslcrl": "PGSSLCRL",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslnegotiation": "PGSSLNEGOTIATION",
    "sslpassword": None,
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}
#: Parameters that hosts hand out for PostgreSQL's own library, and that the driver does without.
#: TLS is as `sslmode` says, whatever `channel_binding` asks for in addition.
_FOR_LIBPQ = {
    "channel_binding": "PGCHANNELBINDING",
    "client_encoding": None,
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "fallback_application_name": None,
    "gssdelegation": "PGGSSDELEGATION",
    "gssencmode": "PGGSSENCMODE",
    "keepalives": None,
    "keepalives_count": None,
    "keepalives_idle": None,
    "keepalives_interval": None,
    "load_balance_hosts": "PGLOADBALANCEHOSTS",
    "sslcertmode": "PGSSLCERTMODE",
    "sslcompression": "PGSSLCOMPRESSION",
    "sslsni": "PGSSLSNI",
    "tcp_user_timeout": None,
}
_VALUES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "target_session_attrs": (
        "any",
        "primary",
        "standby",
        "read-write",
        "read-only",
        "prefer-standby",
    ),
    "ssl_min_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
    "ssl_max_protocol_version": ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
}
_FILES = ("sslcert", "sslcrl", "sslkey", "sslrootcert")
#: Says that the authorities which the machine trusts may sign the server's certificate.
_SYSTEM = "system"
#: `ssl=` is what SQLAlchemy's documentation calls sslmode.
_SSL = {"true": "require", "on": "require", "1": "require", "false": "disable", "off": "disable"}


def is_sqlite(url: str) -> bool:
    """Whether the address is of SQLite and not of PostgreSQL; ValueError for any other."""
    kind = url.partition(":")[0]
    if kind == "sqlite":
        return True
    if kind in ("postgres", "postgresql") or kind.startswith("postgresql+"):
        return False
    raise ValueError(f"The database address {kind}:… is neither sqlite:///path nor {_FORM}.")


def sqlite_path(url: str) -> str:
    """The path of the file that an address of SQLite names; ValueError where it names none."""
    start, _, path = url.partition("?")[0].partition("///")
    if start != "sqlite:" or path in ("", ":memory:"):
        raise ValueError("An SQLite address names a file: sqlite:///trade-missions.db")
    return path


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """An address of PostgreSQL, with parameters as PostgreSQL's own library knows them.

    `hosts` are names, numbers or folders of sockets, each with its port; none where the machine's
    own server is meant.
    """

    hosts: tuple[tuple[str, str], ...]
    user: str | None
    password: str | None
    database: str | None
    parameters: dict[str, str]

    @classmethod
    def read(cls, url: str) -> Self:
        """The address as its parts; ValueError, which never tells the password, if it is none."""
        found = next(filter(None, (shape.fullmatch(url) for shape in _SHAPES)), None)
        if found is None:
            raise ValueError(
                f"The database address is not of the form {_FORM}: a port is a number, and signs"
                " like @ : / ? # in a password are written %40 %3A %2F %3F %23."
            )
        given = _parameters(found["query"] or "")
        place = {name: given.pop(name, None) for name in _PLACE}
        return cls(
            hosts=_hosts(found["hosts"], place["host"], place["port"]),
            user=place["user"] or _plain(found["user"]),
            password=place["password"] or _plain(found["password"]),
            database=place["dbname"] or _plain(found["database"]),
            parameters=given,
        )

    @property
    def server(self) -> str:
        """Where the server is, for people: `db.example.org:5432`."""
        if not self.hosts:
            return "this machine"
        return ", ".join(
            host if host.startswith("/") else f"{host}:{port or 5432}" for host, port in self.hosts
        )

    @property
    def place(self) -> str:
        """What is read from: the address, without its password and its parameters."""
        return f"{self.user or ''}@{self.server}/{self.database or ''}"

    @property
    def connect_seconds(self) -> float | None:
        """How long the server may take to accept a connection, where the address says so."""
        return float(self.parameters.get("connect_timeout", 0)) or None

    def dsn(self) -> str:
        """The address for the driver, asyncpg, without what only other programs know."""
        known = {name: value for name, value in self.parameters.items() if name in _PASSED}
        if known.get("sslrootcert") == _SYSTEM:
            paths = ssl.get_default_verify_paths()
            known["sslrootcert"] = paths.cafile or paths.openssl_cafile
        who = "" if self.user is None else quote(self.user, safe="")
        if self.password is not None:
            who += ":" + quote(self.password, safe="")
        hosts = ",".join(
            (f"[{host}]" if ":" in host else quote(host, safe="")) + (port and f":{port}")
            for host, port in self.hosts
        )
        start = "postgresql://" + (f"{who}@" if who else "") + hosts
        name = "" if self.database is None else "/" + quote(self.database, safe="")
        return start + name + ("?" + urlencode(known, quote_via=quote) if known else "")

    def environment(self) -> dict[str, str]:
        """The address for PostgreSQL's own programs, as environment variables."""
        given = {
            "PGHOST": ",".join(host for host, _ in self.hosts),
            "PGPORT": ",".join(port or "5432" for _, port in self.hosts),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
        }
        variables = _PASSED | _FOR_LIBPQ
        given |= {
            str(variables[name]): value
            for name, value in self.parameters.items()
            if variables[name] is not None
        }
        return {name: value for name, value in given.items() if value}


def _plain(text: str | None) -> str | None:
    return unquote(text) if text else None


def _hosts(before: str, host: str | None, port: str | None) -> tuple[tuple[str, str], ...]:
    """Hosts with their ports, from before the `?` and from parameters after it."""
    if host:
        # `::1` is an address with colons, `db:5433` a host with its port.
        parts = [(h, "") if h.count(":") > 1 else _split(h) for h in host.split(",")]
    else:
        parts = [_split(part) for part in before.split(",") if part]
    ports = (port or "").split(",")
    if len(ports) not in (1, len(parts)) or not all(p.isdigit() or not p for p in ports):
        raise ValueError(
            f"The database address's parameter port={port} is not a number, or not one a host."
        )
    if not parts and port:
        parts = [("localhost", "")]
    each = ports * len(parts) if len(ports) == 1 else ports
    found = tuple((name, own or other) for (name, own), other in zip(parts, each, strict=True))
    for name, number in found:
        if number and not 0 < int(number) < 65536:
            raise ValueError(f"The database address's port {number} of {name} is none: 1 to 65535.")
    return found


def _split(part: str) -> tuple[str, str]:
    """`host:port`, the host perhaps in brackets or percent-encoded, as the two."""
    if part.startswith("["):
        host, _, port = part.removeprefix("[").partition("]")
        return host, port.removeprefix(":")
    if part.startswith("/"):
        return part, ""
    host, _, port = part.partition(":")
    return unquote(host) or "localhost", port


def _parameters(query: str) -> dict[str, str]:
    """The parameters by name, each known and with a value that can be; ValueError if not."""
    found: dict[str, str] = {}
    known = {*_PLACE, *_PASSED, *_FOR_LIBPQ}
    # Not as a form: a + in `options` is a plus, as it is for PostgreSQL's own library.
    for name, value in parse_qsl(query.replace("+", "%2B"), keep_blank_values=True):
        if name == "ssl":
            name, value = "sslmode", _SSL.get(value.lower(), value)
        name = "dbname" if name == "database" else name
        if name not in known:
            raise ValueError(
                f"The database address has a parameter {name!r}, which is none of PostgreSQL's."
                f"{did_you_mean(name, known)}"
            )
        if value:
            found[name] = value
    for name, value in found.items():
        _refuse_value(name, value)
    return found


def _refuse_value(name: str, value: str) -> None:
    start = f"The database address says {name}={value}:"
    values = _VALUES.get(name)
    if values and value not in values:
        near = did_you_mean(value, values)
        raise ValueError(f"{start} it is one of {', '.join(values)}.{near}")
    if name == "connect_timeout" and not value.isdigit():
        raise ValueError(f"{start} it is a number of seconds, or 0.")
    if name in _FILES and value != _SYSTEM and not os.access(value, os.R_OK):
        raise ValueError(f"{start} there is no such file, or it may not be read.")
