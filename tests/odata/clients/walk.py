"""Uses OData through two clients of Python, and prints what it saw."""

import json
import sys
from decimal import Decimal

from odata import ODataService
from odatapy.client import EdmEnabledODataClient, HttpxTransport


def with_python_odata(root: str) -> list[object]:
    """By entities that it makes of the metadata."""
    service = ODataService(root, reflect_entities=True, quiet_progress=True)
    agreements = service.entities["agreements"]
    named = service.query(agreements).filter(agreements.ref == "nobel-katren-supply")
    found = named.first()
    again = service.query(agreements).get(found.id)
    assert isinstance(found.amount, Decimal)
    return [found.title, int(found.amount), again.mission.ref, len(again.parties)]


def with_odatapy(root: str) -> list[object]:
    """By values that it types by the metadata, which refuses what does not fit."""
    client = EdmEnabledODataClient(root.rstrip("/"), HttpxTransport())
    named = client.entity_set_uri("agreements").filter("ref eq 'nobel-katren-supply'")
    (found,) = client.get_entity_set(named.select("title", "amount"))
    every = {
        name: len(list(client.iter_entities(client.entity_set_uri(name))))
        for name in ("missions", "flat_missions", "agreements", "flat_agreement_parties")
    }
    assert every["missions"] == every["flat_missions"]
    assert all(every.values())
    amount = found.get_value("amount")
    assert isinstance(amount, Decimal)
    return [found.get_value("title"), int(amount)]


seen = {"python-odata": with_python_odata(sys.argv[1]), "odatapy": with_odatapy(sys.argv[1])}
json.dump(seen, sys.stdout)
