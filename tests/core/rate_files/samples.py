"""Files of exchange rates as banks write them; the rates are invented."""

import io
import zipfile

ECB_CSV = b"""Date,USD,JPY,RUB,
2022-03-02,1.1106,128.18,N/A,
2022-03-01,1.1162,128.31,117.201,
2022-02-28,1.1199,129.31,115.4842,
"""
ECB_DAILY = b"""Date, USD, JPY,
1 March 2022, 1.1162, 128.310,
"""
ECB_DATA = b"""KEY,FREQ,CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE
EXR.D.USD.EUR.SP00.A,D,USD,EUR,2022-03-01,1.1162
EXR.D.USD.EUR.SP00.A,D,USD,EUR,2022-03-02,NaN
"""
ECB_XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="urn:gesmes" xmlns="urn:eurofxref">
 <gesmes:subject>Reference rates</gesmes:subject>
 <Cube><Cube time="2022-03-01">
  <Cube currency="USD" rate="1.1162"/><Cube currency="JPY" rate="128.31"/>
 </Cube></Cube>
</gesmes:Envelope>"""
NBK_DAILY = """<?xml version="1.0" encoding="utf-8"?>
<rates><title>Official rates</title><description>of a bank</description><date>01.03.2022</date>
<item><fullname>ДОЛЛАР США</fullname><title>USD</title><description>495.12</description>
<quant>1</quant><change>+1.50</change></item>
<item><fullname>ИРАНСКИЙ РИАЛ</fullname><title>IRR</title><description>11.7</description>
<quant>1000</quant></item>
<item><title>XDR</title><description>0</description><quant>1</quant></item></rates>""".encode()
NBK_ALL = b"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Rates</title>
<item><title>USD</title><pubDate>01.03.22</pubDate><description>495.12</description>
<quant>1</quant></item></channel></rss>"""
CBR_DAILY = """<?xml version="1.0" encoding="windows-1251"?>
<ValCurs Date="01.03.2022" name="Market"><Valute ID="R01235"><CharCode>USD</CharCode>
<Nominal>1</Nominal><Name>Доллар США</Name><Value>93,5589</Value></Valute>
<Valute ID="R01335"><CharCode>KZT</CharCode><Nominal>100</Nominal><Name>Тенге</Name>
<Value>18,9004</Value><VunitRate>0,189004</VunitRate></Valute></ValCurs>""".encode("cp1251")
CBR_DYNAMIC = b"""<?xml version="1.0" encoding="windows-1251"?>
<ValCurs ID="R01235" DateRange1="30.12.1997" DateRange2="02.01.1998" name="Dynamic">
<Record Date="30.12.1997" Id="R01235"><Nominal>1</Nominal><Value>5 960</Value></Record>
<Record Date="01.01.1998" Id="R01235"><Nominal>1</Nominal><Value>5,9600</Value></Record>
</ValCurs>""".replace(b"5 960", b"5960,0000")
PLAIN = b"currency,date,rate,unit\nUSD,2022-03-01,495.12,\nIRR,01.03.2022,11.7,1000\n"


def zipped(content: bytes, name: str = "eurofxref-hist.csv") -> bytes:
    """The file in an archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return made.getvalue()
