"""A kind of record that only tests know, to try the engine without any resource."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import ForeignKey, MetaData
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from app.core.databases.interface import Base
from app.core.databases.types import Exact
from app.core.errors import Invalid
from app.engine.record import Part, Record, code_list, reference, stated
from app.engine.resource import Embedded, Resource, SubCollection
from app.engine.schemas import Digits, Edtf, Line, Noted, RecordFields, Schema

#: Apart from the application's tables, which are compared with what the migrations make.
TABLES = MetaData(naming_convention=Base.metadata.naming_convention)


class Toy(Record):
    __tablename__ = "toy"
    metadata = TABLES

    name: Mapped[str]
    made: Mapped[str | None] = stated()
    price: Mapped[Decimal | None] = mapped_column(Exact(18, 4))
    is_soft: Mapped[bool] = mapped_column(default=False)
    colours: Mapped[list[str]] = code_list()
    box_id: Mapped[UUID | None] = reference("toy.id")
    wheels: Mapped[list["Wheel"]] = relationship(
        cascade="all, delete-orphan", order_by="Wheel.position", foreign_keys="Wheel.toy_id"
    )


class Wheel(Part):
    __tablename__ = "wheel"
    metadata = TABLES

    toy_id: Mapped[UUID] = mapped_column(ForeignKey("toy.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int]
    maker_id: Mapped[UUID | None] = reference("toy.id")


class WheelFields(Schema):
    size: int
    maker_id: UUID | None = None


class ToyFields(RecordFields, Noted):
    """A toy."""

    name: Line
    made: Edtf | None = None
    price: Annotated[Decimal, Digits(18, 4)] | None = None
    is_soft: bool = False
    colours: list[Line] = []
    box_id: UUID | None = None
    wheels: list[WheelFields] = []


#: What the check of each write was told: the record's name and its state before.
CHECKED: list[tuple[str, Mapping[str, Any] | None]] = []


def _check(session: Session, record: Toy, before: Mapping[str, Any] | None) -> None:
    CHECKED.append((record.name, before))
    if record.name == "broken":
        raise Invalid.at("/name", "broken", "A toy is whole.")


toy = Resource(
    name="WoodenToy",
    path="wooden-toys",
    table=Toy,
    fields=ToyFields,
    about="A toy.",
    embedded={"wheels": Embedded(table=Wheel, fields=WheelFields, owner="toy_id")},
    check=_check,
)
toy.to_one["box"] = toy
toy.embedded["wheels"].to_one["maker"] = toy
toy.to_many["contents"] = SubCollection(toy, "contents", toy, lambda t, box: t.box_id == box.id)

soft_toy = Resource(
    name="SoftToy",
    path="soft-toys",
    table=Toy,
    fields=ToyFields,
    about="A toy that is soft: the same record.",
    embedded={"wheels": Embedded(table=Wheel, fields=WheelFields, owner="toy_id")},
    row_filter=lambda table: table.is_soft,
)
