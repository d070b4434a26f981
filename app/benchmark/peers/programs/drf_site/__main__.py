"""Makes the tables and loads files: `python -m drf_site organization=FILE …`."""

import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import django
from django.db import connection

LOADED = 2_000


def fill(files: dict[str, str]) -> None:
    """Make the tables and load the files, which hold JSON by line."""
    from .models import Agreement, Mission, Organization, Party

    tables: dict[str, Any] = {
        model._meta.db_table: model for model in (Mission, Organization, Agreement, Party)
    }
    with connection.schema_editor() as editor:
        for model in tables.values():
            editor.create_model(model)
    for name, file in files.items():
        model = tables[name]
        names = {field.attname for field in model._meta.fields} - {"updated_at"}
        with Path(file).open() as lines:
            while batch := [json.loads(line) for line in islice(lines, LOADED)]:
                model.objects.bulk_create(
                    model(**{key: row[key] for key in names if key in row}) for row in batch
                )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    django.setup()
    fill(dict(one.split("=", 1) for one in sys.argv[1:]))
