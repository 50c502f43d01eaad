"""The command line: ``neurosim list | run | models | doctor | bench``.

Each command is a module of this folder with a function ``command``; the folder is walked.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from neurosim.errors import UsageError

try:
    from typer import TyperException
except ImportError:  # a typer that still stands on click
    from click import ClickException as TyperException  # type: ignore[import-not-found, no-redef]

OK, UNUSABLE, INTERRUPTED = 0, 2, 130


def build() -> typer.Typer:
    """The application with all commands."""
    app = typer.Typer(
        name="neurosim",
        help="Simulate neurons on any array library, and run the scenarios of a lecture on neural networks.",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(
        version: Annotated[
            bool,
            typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True),
        ] = False,
    ) -> None:
        """What all commands share."""

    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        if module.name.endswith("_command"):
            found = importlib.import_module(f"{__name__}.{module.name}")
            name, settings = module.name.removesuffix("_command"), getattr(found, "SETTINGS", None)
            app.command(name, context_settings=settings)(found.command)
    return app


def _version(asked: bool) -> None:
    if asked:
        from neurosim import __version__

        typer.echo(f"neurosim {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console script; exits with 0, 1 (a check failed) or 2 (unusable arguments)."""
    command = typer.main.get_command(build())
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = command.main(args=given or ["--help"], prog_name="neurosim", standalone_mode=False)
    except TyperException as error:
        _fail(f"{error.format_message()} (see neurosim --help)")
    except UsageError as error:
        _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    if status == INTERRUPTED:  # typer makes this status of a KeyboardInterrupt
        print("neurosim: interrupted", file=sys.stderr)
    sys.exit(status if isinstance(status, int) else OK)


def _fail(message: str) -> NoReturn:
    print(f"neurosim: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(UNUSABLE)
