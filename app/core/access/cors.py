"""Calls from pages of other origins (the Fetch standard's CORS), for those that are configured."""

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

_SENT = (
    "Accept",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "X-Request-ID",
)
_TOLD = (
    "Content-Disposition",
    "Dry-Run",
    "ETag",
    "Idempotency-Replayed",
    "Link",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)


def add_cors(app: FastAPI, origins: list[str]) -> None:
    """Let pages of these origins call, errors included; cookies are never taken."""
    # Added after the Gate it stands around it, so that problems reach such pages too.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"],
        allow_headers=_SENT,
        expose_headers=_TOLD,
        max_age=600,
    )
