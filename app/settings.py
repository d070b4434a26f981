"""All settings, read from environment variables with the prefix TRADE_MISSIONS_."""

from functools import cache

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator can set; nothing else reads the environment."""

    model_config = SettingsConfigDict(env_prefix="TRADE_MISSIONS_", extra="ignore")

    database_url: str = Field(
        "sqlite:///trade-missions.db",
        description="The database: sqlite:///file.db or postgresql://user:password@host/name.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on.")
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
    public_reading: bool = Field(True, description="Whether reading needs no key.")
    access_log: bool = Field(False, description="Whether each request is logged, a line each.")
    require_if_match: bool = Field(
        False, description="Whether a change must name the record's version in If-Match."
    )
    max_body: int = Field(1024 * 1024, ge=1024, description="The largest body, in bytes.")
    max_import: int = Field(
        100 * 1024 * 1024, ge=1024, description="The largest import or bulk body, in bytes."
    )


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
