"""OpenDocument spreadsheets as other programs write them."""

import io
import zipfile
from html import escape
from typing import Any

TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_NAMES = " ".join(
    f'xmlns:{prefix}="{name}"'
    for prefix, name in (
        ("office", "urn:oasis:names:tc:opendocument:xmlns:office:1.0"),
        ("table", "urn:oasis:names:tc:opendocument:xmlns:table:1.0"),
        ("text", "urn:oasis:names:tc:opendocument:xmlns:text:1.0"),
        ("style", "urn:oasis:names:tc:opendocument:xmlns:style:1.0"),
        ("number", "urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"),
        ("calcext", "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"),
    )
)
_STYLES = (
    '<office:automatic-styles><style:style style:name="hidden" style:family="table">'
    '<style:table-properties table:display="false"/></style:style>'
    '<number:date-style style:name="N1"><number:month/><number:year/></number:date-style>'
    '<number:date-style style:name="N2"><number:year/></number:date-style>'
    '<number:date-style style:name="N3"><number:day/><number:month/></number:date-style>'
    '<style:style style:name="month" style:family="table-cell" style:data-style-name="N1"/>'
    '<style:style style:name="year" style:family="table-cell" style:data-style-name="N2"/>'
    '<style:style style:name="day" style:family="table-cell" style:data-style-name="N3"/>'
    "</office:automatic-styles>"
)


def cell(value: Any, **attributes: Any) -> str:
    """A cell of the worksheet; a text that begins with `<` is the cell as it stands."""
    if isinstance(value, str) and value.startswith("<"):
        return value
    more = "".join(f' table:{name.replace("_", "-")}="{each}"' for name, each in attributes.items())
    if value is None:
        return f"<table:table-cell{more}/>"
    kind, said = "string", ""
    if isinstance(value, bool):
        kind, said = "boolean", f' office:boolean-value="{str(value).lower()}"'
    elif isinstance(value, int | float):
        kind, said = "float", f' office:value="{value}"'
    text = "".join(f"<text:p>{escape(line)}</text:p>" for line in str(value).split("\n"))
    start = f'<table:table-cell office:value-type="{kind}"{said}{more}>'
    return f"{start}{text}</table:table-cell>"


def day(value: str, style: str = "") -> str:
    """A cell with a date, in this style or in that of its column or row."""
    more = f' table:style-name="{style}"' if style else ""
    return f'<table:table-cell office:value-type="date" office:date-value="{value}"{more}/>'


def table(name: str, rows: list[list[Any]] | str, style: str = "shown") -> str:
    """A worksheet of rows, or of XML as it stands."""
    if not isinstance(rows, str):
        rows = "".join(
            f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows
        )
    return f'<table:table table:name="{name}" table:style-name="{style}">{rows}</table:table>'


def spreadsheet(*tables: str, mimetype: str = TYPE, manifest: bytes = b"<m/>") -> bytes:
    """The file of these worksheets."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMES}>{_STYLES}'
        f"<office:body><office:spreadsheet>{''.join(tables)}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mimetype", mimetype)
        file.writestr("content.xml", content)
        file.writestr("META-INF/manifest.xml", manifest)
    return buffer.getvalue()
