"""Files that open the service in a program at a double click: for Power BI and for Excel."""

from collections.abc import Callable, Mapping
from typing import Final
from xml.sax.saxutils import escape

from app.core import json_codec

_TITLE: Final = "Trade-mission deals"


def power_bi_file(root: str) -> bytes:
    """A `.pbids` file, which Power BI Desktop opens and asks which sets to load."""
    details = {"protocol": "odata", "address": {"url": root}}
    connection = {"details": details, "options": {}, "mode": "Import"}
    return json_codec.dumps({"version": "0.1", "connections": [connection]})


def excel_file(root: str) -> bytes:
    """An `.odc` file (Office Data Connection), which Excel opens as a data feed."""
    source = escape(
        f"Data Source={root};Include Atom Elements=Auto;Include Expanded Entities=False"
    )
    return f"""\
<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40">
<head>
<meta http-equiv="Content-Type" content="text/x-ms-odc; charset=utf-8">
<meta name="ProgId" content="ODC.Database">
<meta name="SourceType" content="DATAFEED">
<title>{_TITLE}</title>
<xml id="docprops"><o:DocumentProperties
 xmlns:o="urn:schemas-microsoft-com:office:office"
 xmlns="http://www.w3.org/TR/REC-html40"><o:Name>{_TITLE}</o:Name></o:DocumentProperties></xml>
<xml id="msodc"><odc:OfficeDataConnection
 xmlns:odc="urn:schemas-microsoft-com:office:odc"
 xmlns="http://www.w3.org/TR/REC-html40"><odc:Connection odc:Type="DATAFEED">
<odc:ConnectionString>{source}</odc:ConnectionString>
<odc:CommandType>TableCollection</odc:CommandType>
<odc:CommandText>flat_agreements</odc:CommandText>
</odc:Connection></odc:OfficeDataConnection></xml>
</head>
<body></body>
</html>
""".encode()


#: What makes each file of the address of the service, and its media type, by its name.
CONNECTION_FILES: Final[Mapping[str, tuple[Callable[[str], bytes], str]]] = {
    "trade-missions.pbids": (power_bi_file, "application/json"),
    "trade-missions.odc": (excel_file, "text/x-ms-odc;charset=utf-8"),
}
