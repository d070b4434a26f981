"""Uses the API through a client that was generated from its document, and prints what it saw."""

import json
import sys
from typing import Any

from trade_missions_client import AuthenticatedClient, Client
from trade_missions_client.api.agreements import create_agreement, list_agreements
from trade_missions_client.api.missions import create_mission, get_mission, update_mission
from trade_missions_client.models import (
    Agreement,
    AgreementList,
    AgreementOrder,
    AgreementTree,
    CountryCode,
    CurrencyCode,
    Instrument,
    Mission,
    MissionKind,
    MissionPatch,
    MissionStatus,
    MissionTree,
    PartyRole,
    PartyTree,
    Problem,
)


def told(problem: Any) -> dict[str, Any]:
    assert isinstance(problem, Problem), problem
    pointers = [fault.pointer for fault in problem.errors]
    return {"status": problem.status, "detail": problem.detail, "pointers": pointers}


def main(address: str, key: str) -> dict[str, Any]:
    client = AuthenticatedClient(base_url=address, token=key)
    tree = MissionTree(
        title="A mission of a generated client",
        kind=MissionKind.OUTWARD_MISSION,
        host_country=CountryCode.RU.value,
    )
    mission = create_mission.sync(client=client, body=tree)
    assert isinstance(mission, Mission), mission
    for at, currency in enumerate(("USD", "KZT", "USD", "EUR", "KZT", "USD", "USD")):
        body = AgreementTree(
            title=f"Supply {at}",
            mission_id=mission.id,
            instrument=Instrument.SUPPLY_CONTRACT,
            amount=(at + 1) * 100,
            currency=currency,
            parties=[PartyTree(role=PartyRole.SUPPLIER, description="A maker of cables")],
        )
        made = create_agreement.sync(client=client, body=body, idempotency_key=f"py-{at}")
        assert isinstance(made, Agreement), made

    titles: list[str] = []
    pages = 0
    more: dict[str, Any] = {}
    # Reading is public: a client without a key will do.
    reader = Client(base_url=address)
    while True:
        page = list_agreements.sync(
            client=reader,
            mission_id=str(mission.id),
            amount_gte=200,
            currency_in=[CurrencyCode.USD, CurrencyCode.KZT],
            instrument=Instrument.SUPPLY_CONTRACT,
            sort=[AgreementOrder.AMOUNT_DESCENDING, AgreementOrder.TITLE],
            limit=2,
            **more,
        )
        assert isinstance(page, AgreementList), page
        titles += [found.title.capitalize() for found in page.data]
        pages += 1
        if page.page.next_cursor is None:
            break
        more = {"cursor": page.page.next_cursor}

    read = get_mission.sync_detailed(client=client, key=str(mission.id))
    tag = read.headers["etag"]
    guarded: dict[str, Any] = {"client": client, "key": str(mission.id), "if_match": tag}
    changed = update_mission.sync_detailed(
        **guarded, body=MissionPatch(status=MissionStatus.CANCELLED)
    )
    assert isinstance(changed.parsed, Mission), changed
    stale = update_mission.sync(**guarded, body=MissionPatch(status=MissionStatus.PLANNED))
    wrong = create_agreement.sync(
        client=client,
        body=AgreementTree(title="No currency", instrument=Instrument.ANNOUNCED_PLAN, amount=5),
    )
    return {
        "titles": titles,
        "pages": pages,
        "changed": [changed.status_code, changed.parsed.status, changed.parsed.version],
        "stale": told(stale),
        "wrong": told(wrong),
    }


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
