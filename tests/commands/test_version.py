"""One version: the package's, the installed distribution's, that of the command line and of every file."""

import importlib.metadata

from typer.testing import CliRunner

import parabola
from parabola.commands.app import app


def test_the_version_is_the_installed_distributions() -> None:
    """What `pip` calls the version is what the package says, and what its files say that it wrote."""
    assert parabola.__version__ == importlib.metadata.version("parabola")
    assert f"parabola {importlib.metadata.version('parabola')}" == parabola.WRITTEN_BY


def test_the_command_line_says_its_version() -> None:
    """`parabola --version` prints one line and ends, whatever else is asked for."""
    answer = CliRunner().invoke(app, ["--version", "train", "--epochs", "0"])

    assert (answer.exit_code, answer.output) == (0, f"parabola {importlib.metadata.version('parabola')}\n")
