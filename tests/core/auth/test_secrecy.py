"""What keys are compared by and kept as: nothing that time or memory could give away."""

import ast
import hmac
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from app.core.auth import api_keys
from tests.core.auth.asking import ask, bearer
from tests.core.auth.opened import key_of

FOLDER = Path(api_keys.__file__).parent


def test_digests_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[Any] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    secret = api_keys.new_secret()
    assert api_keys.is_same(api_keys.digest_of(secret), secret)
    assert not api_keys.is_same(api_keys.digest_of(api_keys.new_secret()), secret)
    assert len(compared) == 2


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.name)
def test_no_secret_is_compared_by_equality(file: Path) -> None:
    secret = {"secret", "digest", "key", "password", "token", "credential"}
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            for side in (node.left, *node.comparators):
                name = getattr(side, "id", getattr(side, "attr", ""))
                assert name not in secret or _is_sql(node), ast.unparse(node)


def _is_sql(node: ast.Compare) -> bool:
    """Whether a comparison becomes SQL, of what is no secret: `ApiKey.id == key`."""
    return ast.unparse(node.left).startswith("ApiKey.") or "cast(ApiKey.id" in ast.unparse(node)


async def test_callers_are_remembered_by_digests(public_app: FastAPI) -> None:
    secret = await key_of(public_app, "remembered")
    assert (await ask(public_app, "/missions?limit=1", headers=bearer(secret))).status == 200
    known = public_app.state.authorizer._known
    assert api_keys.digest_of(secret) in known
    assert secret[13:] not in repr(known)
