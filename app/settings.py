"""All settings, read from environment variables with the prefix TRADE_MISSIONS_."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.core import setting_values
from app.core.auth.principals import Scope
from app.core.encryption import Encryption, read_keys
from app.core.rate_files.providers import known_provider
from app.core.setting_faults import InvalidSettings, misspelt, sentences

PREFIX = "TRADE_MISSIONS_"
#: Variables with the prefix that docker-compose.yml reads itself: no settings, and no mistakes.
COMPOSE_NAMES = {
    "TRADE_MISSIONS_DASHBOARDS_PASSWORD",
    "TRADE_MISSIONS_DB_PASSWORD",
    "TRADE_MISSIONS_GRAFANA_PORT",
}
#: The longest time that can be set: what counts it can hold no more than some weeks.
DAY_SECONDS = 86_400

#: A rate as the settings write it: 600/minute.
RATE = r"^([1-9][0-9]*/(second|minute|hour|day))?$"
#: Signatures by keys of which one half is public (RFC 7518, 8037, 9864); no others can be set.
Algorithm = Literal[
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
]
#: A variable of OpenTelemetry's own, which all programs on a machine can share.
STANDARD_TELEMETRY_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
DatabaseAddress = Annotated[str, AfterValidator(setting_values.database_address)]
WebAddress = Annotated[
    str, AfterValidator(lambda text: setting_values.web_address(text) if text else text)
]
Origin = Annotated[str, AfterValidator(setting_values.origin)]
#: Who publishes exchange rates, as records name them.
Provider = Annotated[str, AfterValidator(known_provider)]


class Settings(BaseSettings):
    """What an operator can set; nothing else reads the environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", populate_by_name=True)

    database_url: DatabaseAddress = Field(
        "sqlite:///trade-missions.db",
        description="The database: sqlite:///file.db or postgresql://user:password@host/name.",
    )
    database_read_url: DatabaseAddress | None = Field(
        None,
        description="A streaming replica of the PostgreSQL server, which reads go to.",
    )
    max_replica_lag: float = Field(
        10,
        gt=0,
        le=DAY_SECONDS,
        description="How many seconds behind the replica may be and still be read from.",
    )
    max_query_seconds: float = Field(
        30,
        gt=0,
        le=DAY_SECONDS,
        description="How long one question to the database may take, in seconds.",
    )
    host: str = Field("127.0.0.1", min_length=1, description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on.")
    root_path: Annotated[str, AfterValidator(setting_values.root_path)] = Field(
        "", description="The path below which a proxy shows the service, such as /trade."
    )
    workers: int = Field(1, ge=1, le=64, description="How many processes serve.")
    mode: Literal["development", "production"] = Field(
        "development", description="`production` refuses to start with settings that are unsafe."
    )
    admin_key: SecretStr | None = Field(
        None, description="The admin key of the first start; one is made and printed when not set."
    )
    admin_key_file: Path | None = Field(
        None, description="A file that holds the admin key of the first start."
    )
    tls_certificate: Path | None = Field(
        None, description="The certificate to serve HTTPS with, PEM; with it tls_key."
    )
    tls_key: Path | None = Field(None, description="The certificate's key, PEM.")
    behind_tls: bool = Field(
        False, description="Whether whoever comes from outside passes a proxy that does TLS."
    )
    secret_keys: Annotated[SecretStr, AfterValidator(setting_values.secret_keys)] | None = Field(
        None,
        description="Keys that the secrets of webhooks are encrypted with, the one in use first.",
    )
    public_reading: bool = Field(True, description="Whether reading needs no key.")
    rate_limit: str = Field(
        "1200/minute",
        pattern=RATE,
        description="How much one address may ask without a key, in each process; empty: any.",
    )
    rate_limit_key: str = Field(
        "30000/minute",
        pattern=RATE,
        description="How much one key or token may ask, in each process; empty: any.",
    )
    cors_origins: Annotated[list[Origin], NoDecode] = Field(
        [], description="Origins whose pages may call, separated by commas; `*` for all."
    )
    oidc_issuer: WebAddress | None = Field(
        None, description="The issuer of OpenID Connect tokens that are taken: https://…"
    )
    oidc_audience: str | None = Field(None, description="What the tokens' audience must be.")
    oidc_jwks_url: WebAddress | None = Field(
        None, description="Where the issuer's keys are; found by its configuration when not set."
    )
    oidc_algorithms: Annotated[tuple[Algorithm, ...], NoDecode] = Field(
        ("RS256", "PS256", "ES256", "Ed25519", "EdDSA"),
        description="The signatures that are taken.",
    )
    oidc_roles_claim: str = Field(
        "roles", description="The claim that lists roles; dots lead inwards: realm_access.roles."
    )
    oidc_roles: Annotated[dict[str, Scope], NoDecode] = Field(
        {"read": Scope.READ, "write": Scope.WRITE, "admin": Scope.ADMIN},
        description="Which scope a role stands for: trade-editor=write,trade-admin=admin.",
    )
    trusted_proxies: Annotated[str, AfterValidator(setting_values.proxies)] = Field(
        "127.0.0.1",
        description="Proxies whose X-Forwarded-For is believed: addresses or networks, separated"
        " by commas; empty: none.",
    )
    max_connections: int = Field(
        1000, ge=1, le=1_000_000, description="How many connections a process holds open at once."
    )
    head_seconds: float = Field(
        10,
        gt=0,
        le=DAY_SECONDS,
        description="Within what time a request's address and headers must be there.",
    )
    body_seconds: float = Field(
        30,
        gt=0,
        le=DAY_SECONDS,
        description="How long a request's body may stand still before it is given up.",
    )
    answer_seconds: float = Field(
        60,
        gt=0,
        le=DAY_SECONDS,
        description="How long a client may read nothing before it is cut off.",
    )
    stop_seconds: int = Field(
        30,
        ge=1,
        le=DAY_SECONDS,
        description="How long requests under way may take when the service stops.",
    )
    access_log: bool = Field(False, description="Whether each request is logged, a line each.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="The form of the log; `auto`: text on a terminal, JSON elsewhere."
    )
    telemetry_endpoint: WebAddress | None = Field(
        None,
        validation_alias=AliasChoices(
            "TRADE_MISSIONS_TELEMETRY_ENDPOINT", STANDARD_TELEMETRY_ENDPOINT
        ),
        description="Where traces go: an OpenTelemetry collector for OTLP over HTTP;"
        " OTEL_EXPORTER_OTLP_ENDPOINT means the same.",
    )
    max_streams: int = Field(
        100, ge=0, le=1_000_000, description="How many streams of changes a process serves at once."
    )
    webhooks_private: bool = Field(
        False,
        description="Whether webhooks may go to private addresses and, in production, over http.",
    )
    require_if_match: bool = Field(
        False, description="Whether a change must name the record's version in If-Match."
    )
    rate_providers: Annotated[list[Provider], NoDecode] = Field(
        ["ECB", "NBK", "CBR"],
        description="Whose exchange rates money is converted with, the first that has them.",
    )
    max_body: int = Field(1024 * 1024, ge=1024, description="The largest body, in bytes.")
    max_import: int = Field(
        100 * 1024 * 1024, ge=1024, description="The largest import or bulk body, in bytes."
    )

    @field_validator("cors_origins", "oidc_algorithms", "rate_providers", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return (
            [item.strip() for item in value.split(",") if item.strip()]
            if isinstance(value, str)
            else value
        )

    @field_validator("oidc_roles", mode="before")
    @classmethod
    def _mapped(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return dict(pair.strip().rpartition("=")[::2] for pair in value.split(",") if pair.strip())

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if faults := list(self._contradictions()):
            raise ValueError(" ".join(faults))
        return self

    def _contradictions(self) -> Iterator[str]:
        """What is wrong with settings of which each alone is right."""
        if self.oidc_issuer and not self.oidc_audience:
            told = f"{variable('oidc_issuer')} needs {variable('oidc_audience')}"
            yield f"{told}: whom the tokens must be made for."
        if self.tls_key and not self.tls_certificate:
            told = f"{variable('tls_key')} needs {variable('tls_certificate')}"
            yield f"{told}: the certificate that it is the key of."
        if self.database_read_url and "sqlite" in (
            self.database_url.split(":")[0],
            self.database_read_url.split(":")[0],
        ):
            told = f"{variable('database_read_url')} and {variable('database_url')}"
            yield f"{told} must both be of PostgreSQL: SQLite has no replicas."


def variable(name: str) -> str:
    """The variable that a setting is read from."""
    return f"{PREFIX}{name.upper()}"


def read_settings(**options: str | None) -> Settings:
    """The settings, where options of a command (if not None) go before variables.

    InvalidSettings names all that are wrong, and variables that are none at all.
    """
    given = {name: value for name, value in options.items() if value is not None}
    known = {variable(name) for name in Settings.model_fields} | COMPOSE_NAMES
    faults = list(misspelt(os.environ, PREFIX, known))
    try:
        found = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        names = {name: variable(name) for name in Settings.model_fields}
        names |= {name: f"--{name.replace('_', '-')}" for name in given}
        if (ours := variable("telemetry_endpoint")) not in os.environ:
            names[ours] = STANDARD_TELEMETRY_ENDPOINT
        faults += sentences(error, Settings.model_fields, names)
    if faults:
        raise InvalidSettings("\n".join(faults))
    return found


@cache
def settings() -> Settings:
    """The settings of this process; InvalidSettings as `read_settings`."""
    return read_settings()


def encryption_of(settings: Settings) -> Encryption:
    """How what is secret is stored."""
    given = settings.secret_keys
    return Encryption(read_keys(given.get_secret_value()) if given is not None else ())
