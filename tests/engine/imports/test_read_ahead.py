"""Files are read before anything is written, so that nobody waits for it."""

from pathlib import Path

from app.engine.imports.import_file import ImportFile
from app.engine.imports.read_ahead import BATCH_ROWS, reading_ahead


def test_rows_are_read_as_often_as_they_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    count = BATCH_ROWS * 2 + 1
    path.write_text("full_name\n" + "".join(f"Somebody {n}\n" for n in range(count)))
    with reading_ahead(ImportFile(path, "csv")) as rows:
        path.unlink()
        for _ in range(2):
            batches = list(rows.batches())
            assert [len(batch) for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 1]
            found = [row.cells["full_name"] for batch in batches for row in batch]
            assert found == [f"Somebody {n}" for n in range(count)]


def test_what_cannot_be_read_is_told_where_it_stands_after_the_rows_before_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b'full_name\nOne\nTwo\n"open')
    with reading_ahead(ImportFile(path, "csv")) as rows:
        assert [row.number for batch in rows.batches() for row in batch] == [2, 3]
        assert rows.error is not None
        assert rows.error.row == 4


def test_the_header_of_a_table_without_rows_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("full_name,note\n\n\n")
    with reading_ahead(ImportFile(path, "csv")) as rows:
        assert (list(rows.batches()), rows.header) == ([], ("full_name", "note"))
