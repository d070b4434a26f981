"""The commands: `trade-missions --help`. No logic, and heavy imports only where they are used."""

import asyncio
import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.models import CommandFunctionType

from app.commands.options import CommandGroup
from app.core.auth.principals import Scope
from app.core.setting_faults import InvalidSettings
from app.settings import encryption_of, read_settings, settings

# Files are arguments that need not be `readable` to Typer, which would tell it in a box of its own.

#: The exit status when what was asked for cannot be done before somebody mends something.
REFUSED_STATUS = 2


class JudgedCommand(TyperCommand):
    """A command that looks at all settings before it does anything, not before its help."""

    def invoke(self, ctx: Any) -> Any:
        settings()
        return super().invoke(ctx)


class Commands(typer.Typer):
    """Commands that all look at the settings first; InvalidSettings where they are wrong."""

    def command(
        self, name: str | None = None, **options: Any
    ) -> Callable[[CommandFunctionType], CommandFunctionType]:
        return super().command(name, **{"cls": JudgedCommand} | options)


commands = Commands(
    name="trade-missions",
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"trade-missions {version('trade-missions')}")
        raise typer.Exit


@commands.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and end."
        ),
    ] = False,
) -> None:
    """Trade missions, the agreements that come out of them, and what becomes of each."""


# Its options go before the settings of their names, and may mend them.
@commands.command(cls=TyperCommand)
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[str | None, typer.Option(help="The port.", metavar="INTEGER")] = None,
    workers: Annotated[
        str | None, typer.Option(help="How many processes serve.", metavar="INTEGER")
    ] = None,
    root_path: Annotated[
        str | None, typer.Option(help="The path below which a proxy shows the service.")
    ] = None,
    prepare: Annotated[bool, typer.Option(help="First migrate and seed the database.")] = False,
) -> None:
    """Serve the API."""
    found = read_settings(host=host, port=port, workers=workers, root_path=root_path)
    # Nothing of what is imported and made for serving is ever garbage: looking for some takes a
    # quarter of the start. The server turns it on again (app/core/server/process.py).
    gc.disable()
    from app.commands.serve import serve as run

    sys.exit(run(found, prepare=prepare))


@commands.command()
def migrate() -> None:
    """Bring the database's tables to the state that this version needs."""
    from app.commands.migrate import migrate as run

    changed = asyncio.run(run(settings().database_url))
    typer.echo("The database was migrated." if changed else "The database is up to date.")


@commands.command()
def seed(
    texts: Annotated[
        Path | None,
        typer.Option(
            help="A folder of articles' texts to attach to their sources.",
            exists=True,
            file_okay=False,
            readable=True,
        ),
    ] = None,
) -> None:
    """Add the code lists and the articles' facts; what users have changed stays."""
    from app.commands.seed import run

    typer.echo(asyncio.run(run(settings().database_url, texts)))


@commands.command()
def reindex() -> None:
    """Make the index of full-text search anew."""
    from app.commands.reindex import run

    typer.echo(run(settings().database_url))


@commands.command()
def encrypt(
    lost: Annotated[
        bool,
        typer.Option(help="Replace secrets whose key is lost, and disable their webhooks."),
    ] = False,
) -> None:
    """Encrypt the secrets of webhooks with the first of TRADE_MISSIONS_SECRET_KEYS."""
    from app.commands.encrypt import run

    typer.echo(run(settings().database_url, encryption_of(settings()), lost=lost))


@commands.command()
def check() -> None:
    """Check that the database is there, migrated and consistent."""
    from app.commands.check import run

    faults = asyncio.run(run(settings().database_url))
    typer.echo("\n".join(faults) if faults else "All is well.")
    sys.exit(1 if faults else 0)


@commands.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.", readable=False)],
    force: Annotated[bool, typer.Option(help="Replace the file if it is there.")] = False,
    portable: Annotated[
        bool, typer.Option(help="One that SQLite and PostgreSQL can both be restored from.")
    ] = False,
) -> None:
    """Write a backup of the database to a file; a server may go on meanwhile."""
    from app.commands.backup import run

    typer.echo(run(settings().database_url, file, force=force, portable=portable))


@commands.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup, made by `backup`.", readable=False)],
    force: Annotated[bool, typer.Option(help="Replace all that the database holds.")] = False,
) -> None:
    """Put a backup into the database: all of it or nothing."""
    from app.commands.restore import run

    typer.echo(run(settings().database_url, file, force=force))


@commands.command()
def verify(
    file: Annotated[
        Path | None,
        typer.Argument(help="A backup; without one, the database is verified.", readable=False),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            help="With a backup of PostgreSQL, an empty database to restore it in for a trial;"
            " without one, the database to verify."
        ),
    ] = None,
) -> None:
    """Verify a backup or the database, and print a checksum of every table."""
    from app.commands.verify import run

    verdict = run(settings().database_url, file, database)
    typer.echo(str(verdict))
    sys.exit(1 if verdict.faults else 0)


@commands.command()
def views(
    to: Annotated[Path, typer.Option(help="The file to write, or to write anew.", readable=False)],
) -> None:
    """Write what is public to a file of SQLite, for Datasette, DuckDB, Metabase and the like."""
    from app.commands.views import run

    typer.echo(run(settings().database_url, to))


@commands.command()
def generate(
    agreements: Annotated[int, typer.Option(help="How many agreements to make.", min=1)] = 100_000,
    companies: Annotated[int, typer.Option(help="How many companies.", min=1)] = 5_000,
    missions: Annotated[int, typer.Option(help="How many missions.", min=1)] = 500,
    random_seed: Annotated[int, typer.Option(help="The same number makes the same data.")] = 1,
) -> None:
    """Add synthetic records, marked as such, to try things at size."""
    from app.commands.generate import run

    made = run(settings().database_url, missions, companies, agreements, random_seed)
    typer.echo(made)


@commands.command()
def benchmark(
    rows: Annotated[int, typer.Option(help="How many agreements there are.", min=100)] = 100_000,
    quick: Annotated[bool, typer.Option(help="10,000 agreements, and shorter rounds.")] = False,
    rounds: Annotated[int, typer.Option(help="In how many rounds all take turns.", min=1)] = 3,
    seconds: Annotated[float, typer.Option(help="How long a turn takes.", min=0.05)] = 3.0,
    processes: Annotated[
        int | None, typer.Option(help="Of each server; else one a processor.", min=1, max=64)
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only jobs with this in their names; repeatable.")
    ] = None,
    growth: Annotated[
        int | None,
        typer.Option(
            help="Also measure how answers grow to so many agreements, on SQLite: 1000000.",
            min=100,
        ),
    ] = None,
    database: Annotated[
        str | None, typer.Option(help="An empty database of PostgreSQL; else SQLite.")
    ] = None,
    python: Annotated[
        Path | None, typer.Option(help="The interpreter that has the peers.", readable=False)
    ] = None,
    peers: Annotated[bool, typer.Option(help="Whether to measure others too.")] = True,
    json: Annotated[Path | None, typer.Option(help="A file for all figures.")] = None,
    chart: Annotated[Path | None, typer.Option(help="A file for a chart, SVG.")] = None,
    docs_page: Annotated[
        Path | None,
        typer.Option(help="Instead, measure the documentation page; a folder for pictures of it."),
    ] = None,
) -> None:
    """Measure the service beside others that do the same, on databases of its own."""
    from app.benchmark.command import Wanted, run, run_docs_page
    from app.benchmark.machine import processors
    from app.benchmark.run import Options

    if docs_page is not None:
        typer.echo(run_docs_page(docs_page))
        return
    if quick:
        rows, seconds = min(rows, 10_000), min(seconds, 1.0)
    options = Options(rows, rounds, seconds, database, tuple(only or ()))
    count = processes or processors()
    typer.echo(run(Wanted(options, count, python, peers, json, chart, growth)))


@commands.command(name="import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="A file of CSV, TSV, XLSX, ODS or NDJSON.", readable=False)
    ],
    kind: Annotated[
        str | None, typer.Option(help="What it holds: agreements, … Else its name says so.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Check everything and store nothing.")] = False,
    lenient: Annotated[bool, typer.Option(help="Store the good rows even if others fail.")] = False,
    columns: Annotated[
        str | None, typer.Option(help="Which fields headers stand for: Header=field,…")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Which worksheet of a workbook.")] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="What separates the cells of CSV: , ; tab or |")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="What CSV is encoded in: windows-1251, …")
    ] = None,
    header_row: Annotated[
        int | None, typer.Option(help="Which row has the names of the columns.", min=1)
    ] = None,
    date_format: Annotated[
        str | None, typer.Option(help="How days are written: dd.mm.yyyy, mm/dd/yyyy, …")
    ] = None,
    skip_unknown: Annotated[
        bool, typer.Option(help="Pass over columns that nobody knows.")
    ] = False,
    create_missing: Annotated[
        bool, typer.Option(help="Create organizations and people that are not there.")
    ] = False,
) -> None:
    """Store the rows of a file as new records, or as changes of those that they name."""
    from app.commands.import_ import Said, run

    said = Said(
        kind,
        columns,
        sheet,
        delimiter,
        encoding,
        header_row,
        date_format,
        skip_unknown,
        create_missing,
    )
    sys.exit(run(settings().database_url, file, said, dry_run=dry_run, lenient=lenient))


keys = Commands(help="The keys that callers prove themselves with.", no_args_is_help=True)
commands.add_typer(keys, name="keys")


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="Who it is for; history names the key by it.")],
    scope: Annotated[Scope, typer.Option(help="What it may do.")] = Scope.READ,
    path: Annotated[
        str | None, typer.Option(help="The one address it opens: /agreements.csv")
    ] = None,
    days: Annotated[int | None, typer.Option(help="After how many days it expires.", min=1)] = None,
) -> None:
    """Make a key and show it, this once."""
    from app.commands.keys import create

    typer.echo(asyncio.run(create(settings().database_url, name, scope, path, days)))


@keys.command("list")
def list_keys() -> None:
    """List all keys, without their secrets."""
    from app.commands.keys import listed, table_of

    typer.echo(table_of(asyncio.run(listed(settings().database_url))))


@keys.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(help="Its id, its prefix or its name.")],
) -> None:
    """Take a key out of use for good."""
    from app.commands.keys import revoke

    typer.echo(f"Revoked: {asyncio.run(revoke(settings().database_url, key))}")


@keys.command("generate")
def generate_key() -> None:
    """Print a new key without storing it: for TRADE_MISSIONS_ADMIN_KEY or a secret file."""
    from app.core.auth.api_keys import new_secret

    typer.echo(new_secret())


rates = Commands(help="The exchange rates that money is converted with.", no_args_is_help=True)
commands.add_typer(rates, name="rates")


@rates.command("import")
def import_rates(
    file: Annotated[
        Path,
        typer.Argument(help="CSV (also zipped) or XML, as a bank publishes it.", readable=False),
    ],
    provider: Annotated[
        str | None,
        typer.Option(help="Whose rates they are: ECB, NBK, CBR, … Else as the file says."),
    ] = None,
    quote: Annotated[
        str | None, typer.Option(help="What the rates of a table currency,date,rate are in.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="The currency of a file that has the bank's number alone.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Check everything and store nothing.")] = False,
) -> None:
    """Store the rates of a file: ECB, National Bank of Kazakhstan, Bank of Russia, or a table."""
    from app.commands.rates import run
    from app.core.rate_files.rate_file import RateOptions

    said = RateOptions(provider, quote, currency)
    sys.exit(run(settings().database_url, file, said, dry_run=dry_run))


@commands.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    from app.commands.describe import openapi_document

    typer.echo(openapi_document())


@commands.command()
def routes() -> None:
    """List every address that is served, with its operation id."""
    from app.commands.describe import route_table

    typer.echo(route_table())


def main() -> None:
    """Run the command that was asked for; what an operator can mend is told in a sentence.

    The exit status is decided here: 0 when all went well, 1 when something was found wrong with
    what was looked at (`check`, `verify`, rows of an import), 2 when nothing could be done.
    """
    try:
        commands()
    except InvalidSettings as error:
        typer.echo(error, err=True)
        sys.exit(REFUSED_STATUS)
    except Exception as error:
        from app.commands.refusals import sentence

        told = sentence(error)
        if told is None:
            raise
        typer.echo(told, err=True)
        sys.exit(REFUSED_STATUS)


if __name__ == "__main__":
    main()
