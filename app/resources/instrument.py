"""Instruments: what sort of agreement or announcement it is, and whether it binds."""

from enum import StrEnum

from app.resources.status import AgreementStatus


class Instrument(StrEnum):
    """What sort of instrument or announcement it is."""

    supply_contract = "supply_contract"
    sale_contract = "sale_contract"
    distribution_agreement = "distribution_agreement"
    service_contract = "service_contract"
    investment_agreement = "investment_agreement"
    loan_agreement = "loan_agreement"
    licence_agreement = "licence_agreement"
    founding_agreement = "founding_agreement"
    framework_agreement = "framework_agreement"
    memorandum_of_understanding = "memorandum_of_understanding"
    letter_of_intent = "letter_of_intent"
    interregional_agreement = "interregional_agreement"
    intergovernmental_agreement = "intergovernmental_agreement"
    announced_plan = "announced_plan"
    office_opening = "office_opening"
    other = "other"


class Bindingness(StrEnum):
    """Whether it binds anybody."""

    binding = "binding"
    non_binding = "non_binding"
    announcement = "announcement"
    accomplished = "accomplished"
    unknown = "unknown"


#: Instruments that do not bind by themselves; those not named here do.
DEFAULT_BINDINGNESS = {
    Instrument.framework_agreement: Bindingness.non_binding,
    Instrument.memorandum_of_understanding: Bindingness.non_binding,
    Instrument.letter_of_intent: Bindingness.non_binding,
    Instrument.announced_plan: Bindingness.announcement,
    Instrument.office_opening: Bindingness.accomplished,
    Instrument.other: Bindingness.unknown,
}

#: The status of those that are not signed.
FIRST_STATUS = {
    Instrument.announced_plan: AgreementStatus.announced,
    Instrument.office_opening: AgreementStatus.completed,
}
