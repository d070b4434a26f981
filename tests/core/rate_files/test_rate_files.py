"""Files of exchange rates: each published format is found and read as it stands."""

from decimal import Decimal
from pathlib import Path

from app.core.rate_files.published import RateFileError
from app.core.rate_files.rate_file import RateOptions, opened_rates
from app.core.sheets.tabular import ReadOptions
from tests.core.rate_files import samples
from tests.core.rate_files.samples import zipped

Read = tuple[str, str, list[str]]
TENGE = RateOptions("NBK")


def read(path: Path, content: bytes, options: RateOptions = RateOptions()) -> Read | str | None:  # noqa: B008 (it never changes)
    """The format, the provider and each rate as `1 EUR = 1.1162 USD 2022-03-01`; or what is wrong
    with the file and where; None of one that is no file of rates."""
    path.write_bytes(content)
    try:
        with opened_rates(path, options) as file:
            if file is None:
                return None
            rates = [
                f"{r.unit} {r.base} = {r.rate} {r.quote} {r.day.isoformat()}" for r in file.rates()
            ]
            return file.format.value, file.provider, rates
    except RateFileError as error:
        return f"{error.row}: {error.detail}"


ECB_RATES = [
    "1 EUR = 1.1106 USD 2022-03-02",
    "1 EUR = 128.18 JPY 2022-03-02",
    "1 EUR = 1.1162 USD 2022-03-01",
    "1 EUR = 128.31 JPY 2022-03-01",
    "1 EUR = 117.201 RUB 2022-03-01",
    "1 EUR = 1.1199 USD 2022-02-28",
    "1 EUR = 129.31 JPY 2022-02-28",
    "1 EUR = 115.4842 RUB 2022-02-28",
]
OF_A_DAY = ["1 EUR = 1.1162 USD 2022-03-01", "1 EUR = 128.31 JPY 2022-03-01"]
NBK_RATES = ["1 USD = 495.12 KZT 2022-03-01", "1000 IRR = 11.7 KZT 2022-03-01"]
CBR_RATES = ["1 USD = 93.5589 RUB 2022-03-01", "100 KZT = 18.9004 RUB 2022-03-01"]


def test_each_published_format_is_found_by_itself_and_read_as_it_stands(tmp_path: Path) -> None:
    cases: list[tuple[str, bytes, RateOptions, Read | None]] = [
        ("ECB", samples.ECB_CSV, RateOptions(), ("ecb_csv", "ECB", ECB_RATES)),
        ("zipped", zipped(samples.ECB_CSV), RateOptions(), ("ecb_csv", "ECB", ECB_RATES)),
        ("BOM", b"\xef\xbb\xbf" + samples.ECB_CSV, RateOptions(), ("ecb_csv", "ECB", ECB_RATES)),
        ("of a day", samples.ECB_DAILY, RateOptions(), ("ecb_csv", "ECB", OF_A_DAY)),
        ("portal", samples.ECB_DATA, RateOptions(), ("ecb_data_csv", "ECB", OF_A_DAY[:1])),
        ("XML", samples.ECB_XML, RateOptions(), ("ecb_xml", "ECB", OF_A_DAY)),
        (
            "zipped XML",
            zipped(samples.ECB_XML, "a.xml"),
            RateOptions(),
            ("ecb_xml", "ECB", OF_A_DAY),
        ),
        ("NBK", samples.NBK_DAILY, RateOptions(), ("nbk_daily", "NBK", NBK_RATES)),
        ("all", samples.NBK_ALL, RateOptions(), ("nbk_all", "NBK", NBK_RATES[:1])),
        ("CBR", samples.CBR_DAILY, RateOptions(), ("cbr_daily", "CBR", CBR_RATES)),
        # A thousand roubles became one, and RUR became RUB.
        (
            "dynamic",
            samples.CBR_DYNAMIC,
            RateOptions(),
            (
                "cbr_dynamic",
                "CBR",
                ["1 USD = 5960 RUR 1997-12-30", "1 USD = 5.96 RUB 1998-01-01"],
            ),
        ),
        ("plain", samples.PLAIN, TENGE, ("plain_csv", "NBK", NBK_RATES)),
        (
            "another's",
            b"currency;date;rate;quote\nUSD;2022-03-01;495,12;KZT\n",
            RateOptions("A bank"),
            ("plain_csv", "A bank", NBK_RATES[:1]),
        ),
        (
            "of one's own",
            b"date,USD,RUB\n2024-03-12,450,5\n",
            RateOptions("Mine", "KZT"),
            None,
        ),
        ("whose", samples.ECB_XML, RateOptions("cbr"), ("ecb_xml", "CBR", OF_A_DAY)),
    ]
    wrong = {
        name: found
        for name, content, options, expected in cases
        if (found := read(tmp_path / "file", content, options)) != expected
    }
    assert wrong == {}


def test_a_rate_keeps_its_digits(tmp_path: Path) -> None:
    content = b"currency,date,rate\nUSD,2022-03-01,0.00000001\nJPY,2022-03-01,9999999999.50\n"
    with opened_rates(_written(tmp_path, content), TENGE) as file:
        assert file is not None
        rates = [rate.rate for rate in file.rates()]
    assert rates == [Decimal("0.00000001"), Decimal("9999999999.5")]


def _written(folder: Path, content: bytes) -> Path:
    path = folder / "rates"
    path.write_bytes(content)
    return path


BOMB = b"""<?xml version="1.0"?><!DOCTYPE rates [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
<rates><date>&b;</date></rates>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE rates [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<rates><date>&a;</date></rates>"""


def test_a_table_of_rates_is_found_by_what_its_columns_are_called(tmp_path: Path) -> None:
    in_tenge = RateOptions("NBK", "KZT")
    russian, kazakh = "Дата;Валюта;Курс\n01.03.2022;USD;495,12\n", "Күні;Валюта;Бағам\n"
    rates = ("plain_csv", "NBK", ["1 USD = 495.12 KZT 2022-03-01"])
    barred = RateOptions("NBK", "KZT", read=ReadOptions(delimiter="|"))
    old = RateOptions("NBK", "KZT", read=ReadOptions(encoding="windows-1251"))
    cases: dict[str, tuple[bytes, RateOptions, object]] = {
        "Russian": (russian.encode(), in_tenge, rates),
        "Kazakh": ((kazakh + "01.03.2022;USD;495,12\n").encode(), in_tenge, rates),
        "separated as is said": (russian.replace(";", "|").encode(), barred, rates),
        "encoded as is said": (russian.encode("windows-1251"), old, rates),
        "with units": (
            "Дата,Код валюты,Номинал,Курс\n2022-03-01,IRR,1000,11.7\n".encode(),
            in_tenge,
            ("plain_csv", "NBK", NBK_RATES[1:]),
        ),
        "of what it does not say": (russian.encode(), TENGE, rates),
        "with a column of another": (
            russian.replace("Курс", "Курс;Прим").encode(),
            in_tenge,
            "1: A column 'прим' has no meaning here",
        ),
        "of records": ("Дата;Валюта;Курс;Кто установил\n".encode(), in_tenge, None),
    }
    wrong = {}
    for name, (content, options, right) in cases.items():
        found = read(tmp_path / "rates", content, options)
        told = found[: len(right)] if isinstance(found, str) and isinstance(right, str) else found
        if told != right:
            wrong[name] = found
    assert wrong == {}


def test_a_wrong_file_is_told_with_its_line_and_with_what_would_be_right(tmp_path: Path) -> None:
    item = b"<rates><date>01.03.2022</date>\n<item>%b</item></rates>"
    named = b"<title>USD</title>%b"
    plain = b"currency,date,rate\n%b\n"
    cases: list[tuple[bytes, RateOptions, str]] = [
        (
            b"Date,USD,\n2022-03-01,one,\n",
            RateOptions(),
            "2: 'one' is no rate: it is a number such",
        ),
        (b"Date,USD,\n2022-02-30,1,\n", RateOptions(), "2: '2022-02-30' is no day: there is no 30"),
        (
            b"Date,USD,\n0001-01-01,1,\n",
            RateOptions(),
            "2: '0001-01-01' is no day of a rate: it must",
        ),
        (
            b"Date,USD,\n9999-12-31,1,\n",
            RateOptions(),
            "2: '9999-12-31' is no day of a rate: it must",
        ),
        (b"Date,USD,USD\n2022-03-01,1,1\n", RateOptions(), "1: A currency heads two columns."),
        (b"Date,USD\n2022-03-01,1,2\n", RateOptions(), "2: The row has more cells than the header"),
        (b"Date,USD\n2022-03-01,-1\n", RateOptions(), "2: '-1' is no rate"),
        (b"Date,USD\n2022-03-01,1.123456789\n", RateOptions(), "2: '1.123456789' has more than"),
        (samples.ECB_XML[:-20], RateOptions(), "6: The XML is broken: "),
        (
            b"<Envelope><Cube currency='USD' rate='1'/></Envelope>",
            RateOptions(),
            "1: A rate stands",
        ),
        (item % b"<title>USD</title>", RateOptions(), "2: An <item> has no <description>."),
        (
            item % named % b"<description>1</description><quant>0</quant>",
            RateOptions(),
            "2: '0' is no",
        ),
        (item % b"<title>US</title><description>1</description>", RateOptions(), "2: 'US' is no"),
        (
            b"<rss><item><title>USD</title><description>1</description></item></rss>",
            RateOptions(),
            "1: It is not said of which day",
        ),
        (
            b"<ValCurs ID='R99999'><Record Date='01.03.2022'/></ValCurs>",
            RateOptions(),
            "1: 'R99999'",
        ),
        (b"<ValCurs Date='x'><Valute/></ValCurs>", RateOptions(), "1: 'x' is no day"),
        (
            b"<ValCurs Date='01.03.2022'><Valute/></ValCurs>",
            RateOptions(),
            "1: A rate has no <CharC",
        ),
        (plain % b"USD,2022-03-01,1", RateOptions(), "None: It is not said whose rates these are"),
        (plain % b"USD,2022-03-01,1", RateOptions("A"), "1: It is not said what the rates are in"),
        (plain % b"USD,2022-03-01,0", TENGE, "2: A rate is above 0"),
        (plain % b"USD,2022-03-01,1,2", TENGE, "2: The row has 4 cells and the header 3."),
        (b"currency,date,rate,price\n", TENGE, "1: A column 'price' has no meaning here"),
        (plain % b'"USD', TENGE, "2: A quote is opened here"),
        (zipped(samples.ECB_CSV)[:-30], RateOptions(), "None: The ZIP archive is broken"),
        (BOMB, RateOptions(), "1: The file declares its own entities"),
        (OUTSIDE, RateOptions(), "1: The file declares its own entities"),
        (b"<rates>" + b"<a>" * 40, RateOptions(), "1: Elements lie within each other more than 16"),
        (b"<rates><a>" + b"x" * 200_000, RateOptions(), "1: The text of an element is too long."),
        (b"<rates><a b='" + b"x" * 900_000, RateOptions(), "1: A tag is too long."),
    ]
    wrong = []
    for content, options, expected in cases:
        found = read(tmp_path / "file", content, options)
        if not isinstance(found, str) or not found.startswith(expected):
            wrong.append((expected, found))
    assert wrong == []


def test_what_is_no_file_of_rates_is_none(tmp_path: Path) -> None:
    others = [
        b"",
        b"ref,base,quote,rate,date,provider\n",
        b"<html><body/></html>",
        b"\x89PNG\r\n\x1a\n",
        zipped(b"<worksheet/>", "xl/sheet1.xml.rels"),
    ]
    assert [read(tmp_path / "file", content) for content in others] == [None] * len(others)
