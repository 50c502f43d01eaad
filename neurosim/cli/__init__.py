"""The command line: ``neurosim list | run | models | doctor | bench``.

Each command is a module of this folder with a function ``command``; the folder is walked.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Sequence

import click
import typer

from neurosim.errors import UsageError

OK, CHECK_FAILED, UNUSABLE = 0, 1, 2


def build() -> typer.Typer:
    """The application with all commands."""
    app = typer.Typer(
        name="neurosim",
        help="Simulate neurons on any array library, and run the scenarios of a lecture on neural networks.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root(
        version: bool = typer.Option(False, "--version", help="Print the version and exit.", is_eager=True),
    ) -> None:
        if version:
            from neurosim import __version__

            typer.echo(f"neurosim {__version__}")
            raise typer.Exit

    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        if module.name.endswith("_command"):
            function = importlib.import_module(f"{__name__}.{module.name}").command
            app.command(module.name.removesuffix("_command"))(function)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console script; exits with 0, 1 (a check failed) or 2 (unusable arguments)."""
    command = typer.main.get_command(build())
    try:
        status = command.main(
            args=list(arguments) if arguments is not None else None, prog_name="neurosim", standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(UNUSABLE)
    except click.ClickException as error:
        _fail(f"{error.format_message()} (see neurosim --help)")
    except UsageError as error:
        _fail(str(error))
    except (KeyboardInterrupt, click.Abort):
        print("neurosim: interrupted", file=sys.stderr)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else OK)


def _fail(message: str) -> None:
    print(f"neurosim: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(UNUSABLE)
