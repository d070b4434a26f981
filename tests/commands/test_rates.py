"""`trade-missions rates import` as an operator runs it."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.commands.test_commands import run
from tests.core.rate_files import samples
from tests.core.rate_files.samples import zipped
from tests.templates import seeded_url


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A seeded database of SQLite, of the test's own."""
    own = tmp_path / "own.db"
    own.write_bytes(Path(seeded_url("sqlite").removeprefix("sqlite:///")).read_bytes())
    return f"sqlite:///{own}"


def test_a_file_is_imported_and_told(url: str, tmp_path: Path) -> None:
    file, plain = tmp_path / "eurofxref-hist.zip", tmp_path / "rates.csv"
    file.write_bytes(zipped(samples.ECB_CSV))
    plain.write_bytes(samples.PLAIN)
    told = "8 rates added, 0 corrected, 0 unchanged, of ECB from 2022-02-28 to 2022-03-02 (ecb_csv)"
    dry = run("rates", "import", str(file), "--dry-run", url=url)
    assert dry.stdout == f"Nothing was stored, but would be: {told}.\n", dry.stderr
    assert run("rates", "import", str(file), url=url).stdout == f"Imported: {told}.\n"
    again = run("rates", "import", str(file), url=url)
    assert "0 rates added, 0 corrected, 8 unchanged" in again.stdout
    named = run("rates", "import", str(plain), "--provider", "nbk", url=url)
    assert "2 rates added" in named.stdout
    assert "of NBK from 2022-03-01 to 2022-03-01 (plain_csv)" in named.stdout
    engine = create_engine(url)
    with engine.connect() as connection:
        changes = "SELECT count(*) FROM change WHERE actor = 'import' AND action = 'import'"
        assert connection.scalar(text(changes)) == 2
    engine.dispose()


def test_what_is_wrong_with_a_file_is_told_in_a_sentence(url: str, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    cases = [
        (b"Date,USD\n2022-03-01,x\n", 1, "rates.csv: Line 2: 'x' is no rate"),
        (b"nothing", 1, "rates.csv: This is no file of exchange rates that is known"),
        (samples.PLAIN, 1, "rates.csv: It is not said whose rates these are"),
        (None, 2, "There is no file"),
    ]
    for content, status, detail in cases:
        file.unlink(missing_ok=True)
        if content is not None:
            file.write_bytes(content)
        done = run("rates", "import", str(file), url=url)
        assert (done.returncode, done.stdout) == (status, ""), done.stderr
        assert detail in done.stderr
        assert "Traceback" not in done.stderr
