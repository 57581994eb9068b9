"""The Python that measures a side: the one that runs this program, a ready one, or one made for the comparison."""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from parabola.git import OF_A_REPOSITORY

OF_ANOTHER = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")  # they belong to this program's Python
# As `python -m pytest`, but that what is installed comes before what lies in the folder that pytest runs in.
INSTALLED_FIRST = (
    "import os, sys; sys.path = [*filter(None, sys.path), os.getcwd()]; import pytest; sys.exit(pytest.console_main())"
)


@dataclass(frozen=True)
class Interpreter:
    """A side's Python.

    Attributes:
        path: its file, not what this is a link to: an environment is found by the link.
        own: whether it was asked for, or made for the comparison; else it is the one that runs this program.
        copied: whether the checkout's project is installed in it as a copy, which is then what is to be measured.
    """

    path: str = sys.executable
    own: bool = False
    copied: bool = False

    def variables(self) -> dict[str, str]:
        """Return the environment variables of the programs of its side: an environment of its own is activated."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PYTEST_XDIST") and name not in OF_A_REPOSITORY
        }
        if not self.own:
            return inherited
        programs = Path(self.path).parent
        variables = {name: value for name, value in inherited.items() if name not in OF_ANOTHER}
        variables["PATH"] = os.pathsep.join(filter(None, [str(programs), inherited.get("PATH")]))
        variables["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"  # its notice would be the last line of an install that fails
        if (programs.parent / "pyvenv.cfg").exists():
            variables["VIRTUAL_ENV"] = variables["UV_PROJECT_ENVIRONMENT"] = str(programs.parent)
        return variables

    def pytest(self) -> list[str]:
        """Return the command that begins pytest."""
        return [self.path, *(["-c", INSTALLED_FIRST] if self.copied else ["-m", "pytest"])]


def find_python(text: str) -> str:
    """Return the file of a Python that a user names: its path, its environment's folder, or its name on the PATH.

    Raises:
        ValueError: if there is none; the message says what was received. Of an empty text nothing is asked.
    """
    if not text:
        return ""
    path = Path(text).expanduser()
    if found := shutil.which(path / "bin" / "python" if path.is_dir() else path):
        return os.path.abspath(found)
    wanted = "a Python's path, its environment's folder, or its name on the PATH"
    raise ValueError(f"--python needs {wanted}. Received: {text!r}")
