"""The commands: `trade-missions --help`. No logic, and heavy imports only where they are used."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.settings import settings

commands = typer.Typer(
    name="trade-missions",
    help="Trade missions, the agreements that come out of them, and what becomes of each.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@commands.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="How many processes serve.")] = None,
    prepare: Annotated[bool, typer.Option(help="First migrate and seed the database.")] = False,
) -> None:
    """Serve the API."""
    from app.commands.serve import serve as run

    sys.exit(run(settings(), host=host, port=port, workers=workers, prepare=prepare))


@commands.command()
def migrate() -> None:
    """Bring the database's tables to the state that this version needs."""
    from app.commands.migrate import migrate as run

    changed = asyncio.run(run(settings().database_url))
    typer.echo("The database was migrated." if changed else "The database is up to date.")


@commands.command()
def seed(
    texts: Annotated[
        Path | None, typer.Option(help="A folder of articles' texts to attach to their sources.")
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
def check() -> None:
    """Check that the database is there, migrated and consistent."""
    from app.commands.check import run

    faults = asyncio.run(run(settings().database_url))
    typer.echo("\n".join(faults) if faults else "All is well.")
    sys.exit(1 if faults else 0)


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


@commands.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file of CSV, XLSX or NDJSON.")],
    kind: Annotated[
        str | None, typer.Option(help="What it holds: agreements, … Else its name says so.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Check everything and store nothing.")] = False,
    lenient: Annotated[bool, typer.Option(help="Store the good rows even if others fail.")] = False,
    columns: Annotated[
        str | None, typer.Option(help="Which fields headers stand for: Header=field,…")
    ] = None,
) -> None:
    """Store the rows of a file as new records, or as changes of those that they name."""
    from app.commands.import_ import run

    sys.exit(run(settings().database_url, file, kind, columns, dry_run=dry_run, lenient=lenient))


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
    """Run the command that was asked for; what an operator can mend is told in a sentence."""
    from app.core.errors import Problem

    try:
        commands()
    except Problem as problem:
        sys.exit(problem.detail)
    except OSError as error:
        sys.exit(f"The database cannot be reached: {error}")
    except (RuntimeError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
