"""The house: which way the arrows point, and how large the rooms are."""

import ast
import io
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "parabola"
PLUGIN = PACKAGE / "tracking/lockstep_plugin.py"  # copied out of the package, into another's pytest
DOOR = [PACKAGE / "__main__.py", *sorted((PACKAGE / "commands").glob("*.py"))]  # to both halves
TRACKING_HALF = sorted(path for path in PACKAGE.rglob("*.py") if "tracking" in path.parts)
TRAINING_HALF = sorted(set(PACKAGE.rglob("*.py")) - {*DOOR, *TRACKING_HALF})
MEMBERS = ("engines/members.py", "ensemble.py", "learning_map.py")  # many runs at once, and their map
BEYOND = ("backends.py", "engines/jax.py", "engines/distributed.py", "workers.py")  # TensorFlow in one process
# The leaves of tracking that know neither records nor training, and that the training half may import, too.
LEAVES = {"statistics", "figures", "maps", "machine"}

# What each room may import of parabola, from the foundation up.
MAY_IMPORT = {
    "target": set(),
    "data": {"target"},
    "networks": {"target", "data"},
    "experiment": {"target", "data", "networks", "backends"},
    "backends": set(),
    "workers": {"tracking"},
    "devices": {"backends"},
    "engines": {"target", "data", "experiment", "backends", "devices", "workers", "engines"},
    "fit": {"target", "experiment", "backends"},
    "training": {"experiment", "fit", "engines"},
    "ensemble": {"target", "experiment", "devices", "engines", "tracking"},
    "learning_map": {"target", "experiment", "backends", "ensemble", "tracking"},
    "__init__": {"target", "experiment", "fit", "training"},
    "__main__": {"commands"},
    "commands": {
        *("commands", "target", "data", "experiment", "fit", "backends", "devices", "workers", "engines", "training"),
        *("learning_map", "tracking"),
    },
    "tracking": {"tracking"},
}


def imports(path: Path) -> set[str]:
    """Return the modules that a file names in an import statement, wherever it stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize(
    "path", [*TRAINING_HALF, *DOOR, *TRACKING_HALF], ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_arrows(path: Path) -> None:
    """No room imports one above it, none pytest or the benchmarks, and tracking no framework."""
    names = imports(path)
    rooms = {name.split(".")[1] for name in names if name.startswith("parabola.")}
    outside = {name.split(".")[0] for name in names}

    assert rooms - {"Experiment", "Fit"} <= MAY_IMPORT[room(path)]
    if path == PLUGIN:
        assert outside <= {*sys.stdlib_module_names, "pytest", "pytest_benchmark"}
    else:
        assert not outside & {"pytest", "benchmarks", "conftest", "_pytest"}
    if path in TRAINING_HALF:
        assert {name.split(".")[2] for name in names if name.startswith("parabola.tracking.")} <= LEAVES
    if "tracking" in path.parts:
        assert not outside & {"tensorflow", "keras"}


def code_lines(path: Path) -> int:
    """Count the lines that hold code: not blank, not a comment, not a docstring."""
    source = path.read_text()
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {line for token in tokens if token.type not in skipped for line in range(token.start[0], token.end[0] + 1)}
    return len(lines - docstrings)


def test_all_but_tracking_stays_small(capsys: pytest.CaptureFixture[str]) -> None:
    """Under 800 lines of code (docstrings, comments and blank lines apart) for single runs, under 250 for many members,
    under 400 for more than TensorFlow in one process, as many for the command line; no file of 200 lines of any kind.
    """
    counts = {path: (code_lines(path), len(path.read_text().splitlines())) for path in [*TRAINING_HALF, *DOOR]}
    with capsys.disabled():
        print()
        for path, (code, all_lines) in counts.items():
            print(f"{code:5} of {all_lines:4} lines  {path.relative_to(ROOT)}")
        totals = [sum(column) for column in zip(*counts.values(), strict=True)]
        print(f"{totals[0]:5} of {totals[1]:4} lines  in all")
    members, beyond = (sum(counts[PACKAGE / name][0] for name in names) for names in (MEMBERS, BEYOND))
    commands = sum(counts[path][0] for path in DOOR)

    assert totals[0] - members - beyond - commands < 800
    assert members < 250
    assert beyond < 400
    assert commands < 400
    assert max(all_lines for _, all_lines in counts.values()) < 200


def test_every_module_has_its_tests() -> None:
    """tests/ mirrors parabola/: a file a module, one for the engines and one for tracking."""
    expected = {f"test_{room(path).strip('_')}.py" for path in TRAINING_HALF} - {"test_init.py"} | {"test_tracking.py"}

    assert expected <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=lambda path: path.name)
def test_every_test_says_in_a_sentence_what_it_holds(path: Path) -> None:
    """A test without a docstring is not finished."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]

    assert [node.name for node in functions if node.name.startswith("test_") and not ast.get_docstring(node)] == []


def test_a_program_needs_its_mark() -> None:
    """What a test starts without saying so is refused: `pytest -n auto` stays short."""
    with pytest.raises(AssertionError, match=r"mark it with @pytest\.mark\.end_to_end"):
        subprocess.run([sys.executable, "-c", ""], check=True)
