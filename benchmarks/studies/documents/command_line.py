"""The command line in the pages: every option of every command, the suite's options, and the exit codes."""

import inspect
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from benchmarks.harness.options import TABLE
from parabola.commands.app import app
from parabola.exit_codes import ExitCode


def blocks() -> dict[str, str]:
    """Return the blocks that are made from the code, by the name in their marks."""
    commands = {info.name or info.callback.__name__: info.callback for info in app.registered_commands if info.callback}
    tables = [command_table(name, command) for name, command in commands.items()]
    return {"options": "\n\n".join(tables), "suite-options": suite_table(), "exit-codes": exit_codes()}


def command_table(name: str, command: Callable[..., Any]) -> str:
    """Return a heading, what a command is for, and a row for each of its arguments and options.

    Args:
        name: what is typed for the command.
        command: the function, whose parameters are annotated for Typer.
    """
    hints = get_type_hints(command, include_extras=True)
    parameters = inspect.signature(command).parameters.values()
    rows = [_row(parameter.name, hints[parameter.name], parameter.default) for parameter in parameters]
    about = inspect.cleandoc(command.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    table = ["| option | meaning | default |", "|---|---|---|", *filter(None, rows)]
    return "\n".join([f"## parabola {name}", "", about, "", *table])


def _row(name: str, hint: Any, default: object) -> str:
    """Return a row: how a parameter is typed, what it is for, and the value that holds without it; "" for neither."""
    of_typer = [item for item in get_args(hint) if isinstance(item, OptionInfo | ArgumentInfo)]
    if not of_typer:
        return ""
    (info,) = of_typer
    without = "" if default in (None, inspect.Parameter.empty) or default is False else f"`{default}`"
    return f"| `{_typed(name, info, get_args(hint)[0])}` | {info.help} | {without} |"


def _typed(name: str, info: OptionInfo | ArgumentInfo, kind: Any) -> str:
    """Return how a parameter is typed: its flag and what stands for its value."""
    if isinstance(info, ArgumentInfo):
        return info.metavar or name.upper()
    kinds = {kind, *get_args(kind)}
    value = info.metavar or ("NUMBER" if kinds & {int, float} else "NAME" if str in kinds else "")
    given = [word for word in (info.default, *(info.param_decls or ())) if str(word).startswith("--")]
    flag = given[0] if given else f"--{name.replace('_', '-')}"  # Typer takes the first name given for a default
    return f"{flag} {value}".strip()


def suite_table() -> str:
    """Return a row for each option of the suite."""
    rows = [f"| `{option.flag}` | {option.help} |" for option in TABLE.values()]
    return "\n".join(["| option | meaning |", "|---|---|", *rows])


def exit_codes() -> str:
    """Return a row for each exit code."""
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    return "\n".join(["| exit code | of `parabola` |", "|---|---|", *rows])
