"""A database that sorts otherwise is named."""

from typing import Any
from unittest.mock import MagicMock

import pytest

from app.commands.locales import locale_faults
from app.commands.snapshot import snapshot_run


async def test_a_database_that_sorts_as_the_service_does_has_no_fault(fresh_url: str) -> None:
    assert await snapshot_run(fresh_url, locale_faults) == []


@pytest.mark.parametrize(
    ("database", "encoding", "words"),
    [
        ({"datlocprovider": "c", "datcollate": "C"}, "UTF8", []),
        ({"datlocprovider": "c", "datcollate": "C.utf8", "datlocale": None}, "UTF8", []),
        ({"datlocprovider": "b", "datcollate": "C", "datlocale": "C.UTF-8"}, "UTF8", []),
        ({"datlocprovider": "c", "datcollate": "ru_RU.UTF-8"}, "UTF8", ["locale ru_RU.UTF-8"]),
        ({"datlocprovider": "i", "datcollate": "C", "daticulocale": "kk"}, "UTF8", ["locale kk"]),
        ({"datlocprovider": "i", "datcollate": "C", "datlocale": "und"}, "UTF8", ["locale und"]),
        ({"datlocprovider": "c", "datcollate": "C"}, "SQL_ASCII", ["encoded in SQL_ASCII"]),
    ],
)
def test_one_that_does_not_is_named_with_what_would_be_right(
    database: dict[str, Any], encoding: str, words: list[str]
) -> None:
    connection = MagicMock()
    connection.dialect.name = "postgresql"
    row = {"all": database, "encoding": encoding}
    connection.execute.return_value.mappings.return_value.one.return_value = row
    found = locale_faults(connection)
    assert len(found) == len(words)
    assert all(word in fault for word, fault in zip(words, found, strict=True))
