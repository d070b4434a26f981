"""What an aggregate with empty groups is to be told: the values that its keys can have."""

from dataclasses import replace

from sqlalchemy import Dialect

from app.core import json_codec
from app.core.databases.interface import Database
from app.core.loose_types import Fields, Values
from app.engine.aggregates.empty_groups import MAX_GROUPS, is_enumerable, values_of_keys
from app.engine.aggregates.empty_rows import PARAMETERS
from app.engine.aggregates.query import Aggregate
from app.engine.aggregates.shape import Grouping
from app.engine.aggregates.statement import aggregate_statement
from app.engine.resource import Resource


async def read_values(
    database: Database, dialect: Dialect, resource: Resource, aggregate: Aggregate, values: Values
) -> tuple[Fields, str]:
    """The parameters of `with_empty_groups`, and the position that they are of: the groups that
    there are tell the first and the last period. BadRequest for too many groups."""
    keys = aggregate.grouping.keys
    keys_alone = _keys_alone(aggregate.grouping)
    statement = await aggregate_statement.beside_loop(resource, keys_alone, dialect)
    limited = {**values, "limit": MAX_GROUPS + 1}
    ((body, position),) = await database.read(statement, limited)
    groups = json_codec.loads(body)["data"]
    seen = {tuple(group[key.name] for key in keys) for group in groups}
    found = values_of_keys(resource, keys, aggregate.parsed, seen, aggregate.zone)
    given = (
        json_codec.dumps(items if is_enumerable(resource, key) else []).decode()
        for key, items in zip(keys, found, strict=True)
    )
    return dict(zip(PARAMETERS, given, strict=False)), position


def _keys_alone(grouping: Grouping) -> Grouping:
    """The groups that records are in, without their figures."""
    sort = tuple((key, False) for key in grouping.keys)
    return replace(grouping, metrics=(), having=None, sort=sort, empty_groups=False)
