"""What is told to the conductor: a line of JSON at a time, why a test failed, and which modules are strangers."""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

CONDUCTOR_GONE = 70


class Line:
    """The conversation with the conductor: a JSON object a line, either way. Ends the process when nobody is there."""

    def __init__(self, descriptor: int) -> None:
        self.socket = socket.socket(fileno=descriptor)
        self.socket.set_inheritable(False)
        self.file = self.socket.makefile("rw", encoding="utf-8")

    def say(self, kind: str, **message: Any) -> None:
        """Tell the conductor."""
        try:
            self.file.write(json.dumps({"kind": kind, **message}, default=plain) + "\n")
            self.file.flush()
        except OSError:
            os._exit(CONDUCTOR_GONE)

    def hear(self) -> dict[str, Any]:
        """Wait, off the CPU, for what the conductor says next."""
        try:
            said = self.file.readline()
        except OSError:
            said = ""
        if not said:
            os._exit(CONDUCTOR_GONE)
        answer: dict[str, Any] = json.loads(said)
        return answer


def plain(value: Any) -> Any:
    """Return what JSON can hold in a value's place: of a NumPy scalar, the number."""
    return value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else str(value)


def strangers(root: Path, elsewhere: Path, scratch: Path) -> dict[str, str]:
    """Return the imported modules that are not the side's own, each with its file.

    Args:
        root: pytest's root folder, in the side's own tree.
        elsewhere: the repository, from which nothing may be imported.
        scratch: the folder in it from which anything may: the checkouts are there.

    Returns:
        The modules whose files lie in the repository itself; or where packages are installed, if the side's own tree
        has a package of that name.
    """
    here, prefix = root.resolve(), Path(sys.prefix).resolve()
    packages = {
        path.parent.name
        for depth in ("*/", "*/*/", "*/*/*/")
        for path in here.glob(f"{depth}__init__.py")
        if not (path.parents[1] / "__init__.py").exists()
    }
    known = {name: getattr(module, "__file__", None) for name, module in [*sys.modules.items()]}
    files = {name: Path(file).resolve() for name, file in known.items() if isinstance(file, str)}
    names = [
        name
        for name, file in files.items()
        if (name in packages if _in(file, prefix) else _in(file, elsewhere) and not _in(file, scratch))
    ]
    return {name: str(files[name]) for name in names}


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return the line of a report that says what went wrong."""
    crash = getattr(report.longrepr, "reprcrash", None)
    said = str(crash.message if crash else report.longreprtext).strip().splitlines()
    lines = [text for text in said if text.strip()]
    return (lines[0] if crash else lines[-1]).strip() if lines else "no reason given"


def _in(file: Path, folder: Path) -> bool:
    return folder in file.parents
