"""The command line: a file a command, each of which ends by one door."""

from typing import Annotated

import typer

from parabola import __version__
from parabola.commands.compare import WithPytestOptions, compare
from parabola.commands.door import guarded
from parabola.commands.keep import keep
from parabola.commands.learning_map import learning_map
from parabola.commands.report import report
from parabola.commands.train import train

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def print_version(wanted: bool) -> None:
    """Print the version and end, where it is asked for."""
    if wanted:
        typer.echo(f"parabola {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The smallest training run with a known answer: two neurons learn a parabola."""


app.command()(guarded(train))
app.command("map")(guarded(learning_map))
app.command(cls=WithPytestOptions)(guarded(compare))
app.command()(guarded(report))
app.command()(guarded(keep))
