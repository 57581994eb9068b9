"""Where a side's process is started: its command, its environment variables, its folders, its plugin."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from parabola import files
from parabola.compare.environments.differences import Environment
from parabola.compare.environments.interpreter import Interpreter
from parabola.compare.sides.by_side import BySide
from parabola.compare.sides.checkouts import Checkout
from parabola.compare.sides.side import Side

PLUGIN = Path(__file__).with_name("lockstep_plugin")  # a package that is copied for the sides' pytest to import
WANTED = "wanted.json"
NO_NAMES = BySide[dict[str, list[str]]]({"projects": [], "modules": []}, {"projects": [], "modules": []})
THIS_PYTHON = BySide(Interpreter(), Interpreter())


@dataclass(frozen=True)
class Setup:
    """What every launch of a comparison has in common.

    Attributes:
        base, head: the checkouts of the two sides.
        scratch: the folder that the checkouts and the launches' own folders lie in.
        elsewhere: the user's repository, from which neither side may import, as both have a tree of their own.
        pytest_options: what pytest is called with, on both sides.
        slower: the share of extra work to plant in a case of head, by a part of its name.
        limit_seconds: how long a side may be silent before it is taken to hang.
        own_names: of each checkout those of its "projects" and "modules"; modules of such names are its own.
        allowed: modules that may come from elsewhere nevertheless, with all that is in them.
        logs: the folder that keeps what the sides write; None for none, so that it goes when the launch is over.
        wanted: names of the cases to measure, or parts of their names; empty for all that both sides have.
        interpreters: the Python of each side.
        environments: what is installed for each side; None if neither has a Python of its own.
        collects_all: whether launches collect the whole suite though they measure a part of it.
        laid: the files and folders of head, as seen from its top, that were laid over base.
    """

    base: Checkout
    head: Checkout
    scratch: Path
    elsewhere: Path
    pytest_options: Sequence[str] = ()
    slower: Mapping[str, float] = field(default_factory=dict)
    limit_seconds: float = 300.0
    own_names: BySide[dict[str, list[str]]] = NO_NAMES
    allowed: Sequence[str] = ()
    logs: Path | None = None
    wanted: Sequence[str] = ()
    interpreters: BySide[Interpreter] = THIS_PYTHON
    environments: BySide[Environment] | None = None
    collects_all: bool = False
    laid: Sequence[str] = ()


def start_side(
    setup: Setup,
    checkout: Checkout,
    number: int,
    cores: Sequence[int],
    scratch: Path,
    wanted: Sequence[str] | None = None,
) -> Side:
    """Start pytest in a checkout, with the plugin, an environment of its own, and a line to it.

    Args:
        setup: what all launches of the comparison have in common.
        checkout: the side that is started.
        number: the launch's, which seeds the hashing of strings: alike on both its sides, and otherwise in the next;
            unless the user has chosen a PYTHONHASHSEED.
        cores: the cores that it runs on; empty for any.
        scratch: the launch's own folder, for the plugin, temporary files, and the log unless logs are kept.
        wanted: the cases to collect; None for all.
    """
    plugins = scratch / "plugin"
    if not (copy := plugins / PLUGIN.name).exists():  # the launch's other side has the same
        copy.mkdir(parents=True)
        for module in PLUGIN.glob("*.py"):
            files.write_text(module.read_text(encoding="utf-8"), copy / module.name)
    interpreter: Interpreter = getattr(setup.interpreters, checkout.name)
    inherited = interpreter.variables()
    own_paths = [] if interpreter.copied else _own_paths(checkout.top, setup.elsewhere)
    paths = [plugins, *own_paths, *filter(None, [inherited.get("PYTHONPATH")])]
    if wanted is not None:  # in a file, as there may be more of them than a variable has room for
        (plugins / WANTED).write_text(json.dumps(wanted), encoding="utf-8")
    ours, theirs = socket.socketpair()
    ours.settimeout(setup.limit_seconds)
    given = {
        "socket": theirs.fileno(),
        "cores": list(cores),
        "wanted": "" if wanted is None else str(plugins / WANTED),
        "top": str(checkout.top),
        "elsewhere": str(setup.elsewhere),
        "scratch": str(setup.scratch),
        "allowed": list(setup.allowed),
        "passes_conftests": bool(setup.laid) and checkout.name == "base",
        **getattr(setup.own_names, checkout.name),
    }
    logs = setup.logs / f"launch-{number:03}" if setup.logs else scratch
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{checkout.name}.log"
    temporary = scratch / f"{checkout.name}_tmp"  # it is removed with the launch, with all that a suite leaves in it
    temporary.mkdir()
    kept = setup.scratch / "kept" / checkout.name  # until the comparison ends
    kept.mkdir(parents=True, exist_ok=True)
    command = [*interpreter.pytest(), "-p", "lockstep_plugin", "-o", f"cache_dir={temporary / 'cache'}"]
    seed = os.environ.get("PYTHONHASHSEED", "")
    own = {
        "PYTHONHASHSEED": seed if seed.isdigit() else str(number),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "LOCKSTEP": json.dumps(given),
        "TMPDIR": str(temporary),
        "PARABOLA_SIDE": checkout.name,  # with the launch, for a suite to keep databases and ports apart
        "PARABOLA_LAUNCH": str(number),
        "PARABOLA_FOLDER": str(kept),
    }
    with open(log, "wb") as output, theirs:
        process = subprocess.Popen(
            [*command, "--benchmark-only", *setup.pytest_options],
            cwd=checkout.folder,
            env={**inherited, **own},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    return Side(checkout.name, process, ours, log)


def _own_paths(top: Path, elsewhere: Path) -> list[Path]:
    """Return the folders of a checkout that its modules are imported from.

    They are its top, its src/, and those that the user has on the path within the repository; but none in which
    packages are installed, as these belong to no commit.

    Args:
        top: the checkout's topmost folder.
        elsewhere: the user's repository.
    """
    inside = [Path(entry).resolve() for entry in sys.path if entry]
    within = [path.relative_to(elsewhere) for path in inside if elsewhere == path or elsewhere in path.parents]
    prefix = Path(sys.prefix).resolve()
    installed = prefix.is_relative_to(elsewhere)  # else the repository may lie where Python does, as in /usr/src
    own = [
        top,
        top / "src",
        *(top / path for path in within if not (installed and prefix in (elsewhere / path).parents)),
    ]
    return [path for path in dict.fromkeys(own) if path.is_dir()]
