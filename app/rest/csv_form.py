"""How a CSV file is written, which the spreadsheets of some languages want otherwise."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from app.core.sheets.options import Delimiter, sign_of
from app.engine.query.filter_reader import bad_parameter
from app.engine.schemas import Flag


class CsvQuery(BaseModel):
    """Parameters of what is written as CSV."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    bom: Flag = False
    """`true` begins a CSV file with a byte order mark, without which Excel misreads Cyrillic."""
    delimiter: Delimiter | None = None
    """What separates the cells of CSV."""
    decimal: Literal[".", ","] | None = None
    """The decimal sign of CSV; `,` has `;` between the cells, as Excel in ru, kk and de."""


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How CSV is written: as RFC 4180 has it, or as a spreadsheet wants it."""

    bom: bool = False
    delimiter: str = ","
    decimal: str = "."

    @property
    def is_plain(self) -> bool:
        """Whether commas stand between cells, and points before decimals."""
        return (self.delimiter, self.decimal) == (",", ".")


def csv_form(query: object, file_format: str) -> CsvForm:
    """The form that the query asks for; BadRequest where the file is no CSV, which has one form."""
    if not isinstance(query, CsvQuery):
        return CsvForm()
    for name in ("delimiter", "decimal") if file_format != "csv" else ():
        if getattr(query, name) is not None:
            text = f"{name} is of CSV: leave it out of {file_format}."
            raise bad_parameter(name, "format", text)
    decimal = query.decimal or "."
    delimiter = query.delimiter or (";" if decimal == "," else ",")
    return CsvForm(query.bom, sign_of(delimiter), decimal)
