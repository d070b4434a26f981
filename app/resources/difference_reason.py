"""Why a figure that somebody states can differ from what is on record."""

from enum import StrEnum


class DifferenceReason(StrEnum):
    """Why a figure that somebody states can differ from what is on record."""

    without_amount = "without_amount"
    not_exact = "not_exact"
    claim_not_exact = "claim_not_exact"
    rival_claims = "rival_claims"
    other_scope = "other_scope"
    other_mission = "other_mission"
    part_of_claim = "part_of_claim"
    parts = "parts"
    replaced = "replaced"
    fallen_through = "fallen_through"
    only_announced = "only_announced"
    other_currency = "other_currency"
    other_period = "other_period"
    stands_for = "stands_for"
    unnamed = "unnamed"
    parties_incomplete = "parties_incomplete"
    withheld = "withheld"
    later = "later"
    undated = "undated"
    not_on_record = "not_on_record"
    not_measured = "not_measured"
