"""What came of a mission: counts that say what is counted, and totals that never mix."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response

from app.core import json_codec
from app.core.errors import BadRequest, NotFound
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation
from app.core.http.responses import JsonResponse
from app.engine.resource import Resource
from app.engine.schemas import Digits, Schema, absent
from app.insights.converted_summary import ConvertedTotals, converted_totals
from app.insights.summary_statement import summary_statement
from app.resources.firmness import Firmness
from app.resources.instrument import Bindingness
from app.resources.money import Bound
from app.resources.outcome import AmountScope
from app.resources.reported_total import Measure, Rank
from app.resources.status import AgreementStatus
from app.rest.audience import reading_dialect
from app.rest.conversion import ConversionAsked, ConversionQuery, read_conversion
from app.rest.decimals import texts_of, wants_texts
from app.rest.handlers import database_of, find_row
from app.rest.operations import Key
from app.rest.past import with_past

Sum = Annotated[Decimal, Digits(18, 4)]


class SummaryQuery(ConversionQuery):
    """Parameters of a summary."""

    parts: Literal["include", "exclude"] = "include"
    """`exclude` leaves out what lies under the missions that are part of this one."""


class Total(Schema):
    """The amounts of one class in one currency; what is left out of it is not in any figure."""

    currency: str
    """ISO 4217."""
    firmness: Firmness
    """The class: what binds is never added to what does not."""
    per: Literal["year"] | None
    """`year` for amounts of each year, which are no part of a total."""
    amount: Sum | None
    """The sum of what is stated, of ranges the lower end; null where nothing is added."""
    at_least: Sum | None
    """What it is at least: the sum of what is certain; null where nothing is."""
    at_most: Sum | None
    """What it is at most; null where one amount has no upper limit."""
    agreements: int
    """How many agreements are in the sum."""
    not_exact: int
    """How many of these state a limit, a range or an approximation and not the exact amount."""
    left_out: int
    """How many records of this class and currency are not in the sum: see `left_out`."""


class Realised(Schema):
    """What outcomes say was really paid, sold or invested, in one currency."""

    currency: str
    """ISO 4217."""
    amount_scope: AmountScope | None
    """Of amounts `to_date` the newest of each agreement is added, which has the earlier ones in
    it; of each `period` all; null where nobody said which."""
    amount: Sum
    """The sum."""
    outcomes: int
    """How many outcomes are in the sum."""
    agreements: int
    """Of how many agreements."""


class Reported(Schema):
    """A figure that a source states for the mission or a part of it."""

    mission_id: UUID
    """The mission that it is stated for."""
    measure: Measure
    """What it counts."""
    value: Sum
    """The figure."""
    value_max: Sum | None
    """The end of a range."""
    currency: str | None
    """ISO 4217, when the measure is money."""
    bound: Bound
    """How the figure limits the true one."""
    scope: str | None
    """What it is about, when not the whole mission."""
    rank: Rank
    """Which of several claims about one figure is taken."""


class ReportedFigure(Schema):
    """What all claims about one figure come to."""

    mission_id: UUID
    """The mission that it is stated for."""
    measure: Measure
    """What it counts."""
    currency: str | None
    """ISO 4217, when the measure is money."""
    scope: str | None
    """What it is about, when not the whole mission."""
    per: Literal["year"] | None
    """`year` for an amount of each year."""
    part_of_id: UUID | None
    """The reported total that it is a part of."""
    value: Sum | None
    """The preferred claim; else what all say; null where they disagree."""
    at_least: Sum | None
    """What it is at least, by that claim; null where nothing is certain."""
    at_most: Sum | None
    """What it is at most, by that claim; null without a limit."""
    claims: int
    """How many claims there are."""
    rival_claims: int
    """How many claims disagree, so that none is taken."""
    lowest: Sum
    """The least that a claim says."""
    highest: Sum
    """The most that a claim says."""


class LeftOut(Schema):
    """How many records are in no sum, so that nothing is added twice."""

    parts: int
    """Agreements that are part of another of their class, whose amount has theirs in it."""
    replaced: int
    """Agreements whose place another one took that is added."""
    repeated_claims: int
    """Reported totals that say what the one says that is taken."""
    rival_claims: int
    """Reported totals that say something else, or of which none could be taken."""
    earlier_outcomes: int
    """Outcomes whose amount to date is in that of a later one."""
    withheld: int
    """Agreements that are counted and not shown."""
    withheld_claims: int
    """Reported totals that are not shown."""
    withheld_outcomes: int
    """Outcomes of the agreements shown that are not shown themselves, or without their amount."""


class Summary(Schema):
    """What came of a mission and of those that are part of it, from the records that are not in
    the trash. An agreement counts for as many as it stands for."""

    id: str
    """The mission's id."""
    ref: str | None
    """The mission's ref."""
    title: str
    """The mission's title."""
    missions: int
    """How many missions are summed up: this one and its parts."""
    agreements: int
    """All agreements and announced outcomes."""
    records: int
    """How many records these are: one can stand for several agreements."""
    withheld: int
    """How many records are withheld: counted in `agreements` and `records`, and in nothing else."""
    signed_instruments: int
    """Agreements that were ever signed: announced plans and acts done are not counted."""
    signed_by_firmness: dict[Firmness, int]
    """What of these is what now: `fallen_through` were signed and cancelled, or have expired."""
    by_firmness: dict[Firmness, int]
    """How many agreements of each class there are."""
    by_bindingness: dict[Bindingness, int]
    """How many bind, do not bind, are announced, are done already, or are unknown."""
    by_status: dict[AgreementStatus, int]
    """How many have come how far."""
    ambiguous: int
    """How many agreements a source leaves open to several readings."""
    totals: list[Total] = Field(
        description="One entry a currency and class: neither of them are ever added."
    )
    without_amount: int
    """Agreements for which no amount is stated; they count as unknown, not as zero."""
    withheld_amounts: int
    """Agreements that are shown without their amounts, which are withheld: in no sum here."""
    undated: int
    """Agreements signed on a day whose year is not stated, or with no date at all."""
    withheld_dates: int
    """Agreements that are shown without when they were signed, which is withheld."""
    outcomes: int
    """Follow-ups on record."""
    realised: list[Realised] = Field(description="What follow-ups say was really paid.")
    delegates: int
    """People on record who take part, one that is named once."""
    participations: int
    """Organizations on record that take part, in each role."""
    reported_totals: list[Reported] = Field(
        description="Figures stated for the whole mission; they are not sums of the above."
    )
    reported: list[ReportedFigure] = Field(
        description="The same, with all claims about one figure together."
    )
    left_out: LeftOut
    """What is not in the sums."""
    converted: ConvertedTotals = Field(default_factory=absent)  # type: ignore[assignment]
    """With `convert_to` alone: the totals in one currency."""


#: The members that are numbers with decimals.
_DECIMALS = ("amount", "at_least", "at_most", "value", "value_max", "lowest", "highest")


def _in_form(request: Request, body: str) -> bytes:
    """The summary with its figures as the request asks for them."""
    if not wants_texts(request):
        return body.encode()
    summary = json_codec.loads(body)
    for name in ("totals", "realised", "reported_totals", "reported"):
        for figures in summary[name]:
            figures |= texts_of(figures, _DECIMALS)
    return json_codec.dumps(summary)


async def _with_converted(request: Request, asked: ConversionAsked, body: str) -> str:
    """The summary with its totals in one currency beside the others."""
    summary = json_codec.loads(body)
    summary["converted"] = await converted_totals(request, asked, summary.pop("days"))
    return json_codec.dumps(summary).decode()


def summary_route(mission: Resource) -> Route:
    """GET /missions/{key}/summary"""

    async def get_mission_summary(
        request: Request, key: Key, query: Annotated[SummaryQuery, Query()]
    ) -> Response:
        """Counts by class, bindingness and status, totals for each currency and class, what
        sources report, and what is missing or left out; see the [guide](guide#figures). An
        announced plan is not a signed contract, and an amount that is not stated is not zero."""
        asked = read_conversion(request, query)
        found = await find_row(request, mission, key)
        database = database_of(request)
        with_parts = query.parts == "include"
        statement = summary_statement(reading_dialect(request), with_parts, asked is not None)
        ((body,),) = await database.read(statement, {"mission": found.id})
        if asked is not None:
            body = await _with_converted(request, asked, body)
        return JsonResponse(_in_form(request, body))

    operation = Operation(
        path="/missions/{key}/summary",
        name="get_mission_summary",
        summary="Summarise what came of one mission",
        tag="missions",
        answers=(Answer(model=Summary),),
        refusals=(BadRequest, NotFound),
    )
    return with_past(operation).route(get_mission_summary)
