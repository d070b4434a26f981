"""What an application keeps while it serves."""

from dataclasses import fields

from fastapi import FastAPI

from app.webhooks.app_state import WebhookingState


def test_nothing_is_missing_once_the_application_has_started(shared_app: FastAPI) -> None:
    """And nothing is there that is not declared, so that no route reads what has no type."""
    assert vars(shared_app.state).keys() == {field.name for field in fields(WebhookingState)}
