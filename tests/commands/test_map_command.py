"""What the command `map` makes of its options: the file, the table, the picture and its refusals."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from parabola import files
from parabola.commands.app import app
from parabola.display import console, pictures
from parabola.ensemble import cluster, learning_map, map_file
from parabola.ensemble.learning_map import Grid
from parabola.machine import backends, devices
from parabola.training.experiment import Experiment
from tests.made_ensemble import plant


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked of ensembles in this test, in order: "build" and "train"."""
    return plant(monkeypatch)


OPTIONS = [
    *("--learning-rates", "0.1,0.001,0.5", "--batch-sizes", "1,9", "--seeds", "5", "--first-seed", "7"),
    *("--target=-1,0.5,3", "--optimizer", "sgd", "--final-learning-rate", "0.0005", "--init", "sign-aware"),
    *("--epochs", "8", "--samples", "50", "--data-seed", "4", "--low", "-1", "--high", "2.5"),
]
IDENTITY = {
    **{"target": [-1.0, 0.5, 3.0], "network": "two_neuron", "device": "cpu", "optimizer": "sgd"},
    **{"final_learning_rate": 0.0005, "init": "sign-aware", "epochs": 8, "samples": 50, "data_seed": 4},
    **{"low": -1.0, "high": 2.5, "learning_rates": [0.1, 0.001, 0.5], "batch_sizes": [1, 9]},
    **{"seeds": 5, "first_seed": 7},
}


def test_each_option_reaches_the_map(tmp_path: Path, asked: list[tuple[Any, ...]]) -> None:
    """The file has each option's value, and the seeds that are trained begin with the first one; both are printed."""
    path = tmp_path / "a map.json"
    answer = CliRunner().invoke(app, ["map", *OPTIONS, "--json", str(path)], env={"COLUMNS": "80"})
    state = json.loads(path.read_text())

    assert answer.exit_code == 0, answer.output
    assert state["grid"] == IDENTITY
    assert [cell["passed"] for cell in state["cells"]] == ["f8"] * 3 + ["20"] * 3
    assert asked[:2] == [("build", 1, 15, None), ("train", [*range(7, 12)] * 3, [0.1] * 5 + [0.001] * 5 + [0.5] * 5)]
    assert [line.rstrip() for line in answer.stdout.splitlines()] == [
        "two_neuron learns -x² + 0.5x + 3: which share of 5 seeds passes",
        "8 epochs of 50 samples, sgd, decaying to 0.0005, init sign-aware",
        "pass rate in %, with its 95 % interval: a row a learning rate, a column a batch size",
        "",
        "",
        "                   1          9",
        " ──────────────────────────────",
        "   0.1  100 (57–100)  20 (4–62)",
        " 0.001  100 (57–100)  20 (4–62)",
        "   0.5  100 (57–100)  20 (4–62)",
        "",
        f"{path} holds the map",
    ]
    assert answer.stderr == ""


def test_the_progress_of_the_map(tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar goes from 0 to 1 and says which share of the map is done."""
    shown: list[Any] = []

    @contextmanager
    def progress_bar(form: str, total: float) -> Iterator[Any]:
        shown.extend([form, total])
        yield lambda *said: shown.append(said)

    monkeypatch.setattr(console, "progress_bar", progress_bar)
    options = ["--learning-rates", "0.1", "--batch-sizes", "9", "--seeds", "4", "--json", str(tmp_path / "map.json")]
    assert CliRunner().invoke(app, ["map", *options]).exit_code == 0

    assert shown == [
        *("{task.percentage:.0f} % of the map{task.fields[text]},", 1.0),
        *((0.0, ": starting the backend"), (0.5,), (1.0,)),
    ]


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(
    tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 3 cells that were asked for, by options that are repeated, one is on disk."""
    path = tmp_path / "map.json"
    options = ["--batch-sizes", "9", "--batch-sizes", "1,3", "--learning-rates", "0.1", "--json", str(path)]

    def train_map(grid: Grid, to: Path, **_: Any) -> Any:
        assert grid.batch_sizes == (9, 1, 3)
        map_file.write(to, grid.identity(), [cell])
        raise KeyboardInterrupt

    assert CliRunner().invoke(app, ["map", *options, "--seeds", "4"]).exit_code == 0
    cell = map_file.read(path, json.loads(path.read_text())["grid"])[0]
    monkeypatch.setattr(learning_map, "train_map", train_map)
    answer = CliRunner().invoke(app, ["map", *options, "--seeds", "4"])

    assert answer.exit_code == 130
    assert f"{path} keeps 1 of 3 cells; the same command goes on from there\n" in answer.stderr


def test_the_options_of_the_map_say_what_they_are() -> None:
    """What only this command has is explained by its help, with the form of a value and the default."""
    command: Any = typer.main.get_command(app)
    own = command.commands["map"]
    options = {option.opts[0]: (option.metavar, option.help, option.default) for option in own.params}

    assert own.help.splitlines()[0] == "Draw the map of learning rate × batch size: which share of seeds learns."
    assert "Finished cells are kept in the JSON file: after an interruption, the same command goes on" in own.help
    said = ("--learning-rates", "--batch-sizes", "--seeds", "--first-seed", "--json", "--shard", "--cluster", "--merge")
    assert [(option, *options[option]) for option in said] == [
        ("--learning-rates", "A,B,…", "Default: 25 from 0.0001 to 1. Repeatable.", None),
        ("--batch-sizes", "A,B,…", "Default: the 8 divisors of 999, up to samples. Repeatable.", None),
        ("--seeds", None, "In each cell.", 200),
        ("--first-seed", None, "The others follow it.", 0),
        ("--json", "FILE", "Else learning_map.json. What it lacks is trained.", None),
        ("--shard", "I/N", "Train the I-th of N parts, as 3/16, into a file of its own.", None),
        ("--cluster", "ADDRESS", "Train on the workers of Dask's scheduler there.", None),
        ("--merge", None, "Join the shards' files, which say what map it is.", False),
    ]


def test_the_defaults_of_the_map(tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without options it is the published experiment over the default axes; sizes above the samples are left out."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["map"]).exit_code == 0
    assert json.loads(Path("learning_map.json").read_text())["grid"] == Grid(Experiment()).identity()
    assert os.listdir() == ["learning_map.json"]

    for samples, sizes in ((37, [1, 3, 9, 27, 37]), (36, [1, 3, 9, 27])):
        path = tmp_path / f"{samples}.json"
        assert (
            CliRunner()
            .invoke(app, ["map", "--samples", str(samples), "--learning-rates", "0.1", "--json", str(path)])
            .exit_code
            == 0
        )
        assert json.loads(path.read_text())["grid"]["batch_sizes"] == sizes


@pytest.mark.parametrize(
    ("rates", "sizes", "framed", "says"),
    [
        ("0.1,0.02,0.001", "9,1", [(0.001, 1), (0.1, 1)], "; framed: as published"),
        ("0.1,0.02", "1", [(0.1, 1)], "; framed: as published"),
        ("0.1,0.001", "9", [], ""),
        ("0.2,0.002", "1", [], ""),
    ],
)
def test_the_picture_frames_what_was_published(
    rates: str,
    sizes: str,
    framed: list[tuple[float, int]],
    says: str,
    tmp_path: Path,
    asked: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The two published cells are framed where they are on the map, and the subtitle says so only then."""
    saved: dict[Path, Any] = {}
    monkeypatch.setattr(pictures, "save", lambda chart, path: saved.update({path: chart.to_dict()}))
    options = ["--learning-rates", rates, "--batch-sizes", sizes, "--seeds", "4", "--json", str(tmp_path / "map.json")]
    answer = CliRunner().invoke(app, ["map", *options, "--plot", str(tmp_path / "map.svg")])

    assert answer.exit_code == 0, answer.output
    assert [*saved] == [tmp_path / "map.svg"]
    (drawn,) = saved.values()
    frames = [row for layer in drawn["layer"][2:] for row in layer["data"]["values"]]
    assert frames == [{"learning_rate": rate, "batch_size": size} for rate, size in framed]
    assert drawn["title"]["text"] == "two_neuron learns x² + 2x + 2: which share of 4 seeds passes"
    assert drawn["title"]["subtitle"] == f"999 epochs of 999 samples, adam, init glorot{says}"
    shown = {
        (row["learning_rate"], row["batch_size"]): row["passes"]
        for row in drawn["layer"][0].get("data", drawn.get("data"))["values"]
    }
    passes = {1: "4 of 4 (100.0 %)", 9: "1 of 4 (25.0 %)"}
    cells = [(float(rate), int(size)) for size in sizes.split(",") for rate in rates.split(",")]
    assert shown == {(rate, size): passes[size] for rate, size in cells}
    assert says not in answer.stdout or not says


@pytest.mark.parametrize(("before", "after"), [("tensorflow", "jax"), ("jax", "tensorflow")])
def test_a_map_of_one_backend_is_not_continued_by_another(
    before: str, after: str, tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A map of TensorFlow is none of JAX and the other way round: exit 2, and the file stays as it is."""
    monkeypatch.setattr(backends, "choose", lambda name: None)  # a process cannot have both
    options = ["--learning-rates", "0.1", "--batch-sizes", "9", "--seeds", "4", "--json", str(tmp_path / "map.json")]
    monkeypatch.setenv("KERAS_BACKEND", before)
    assert CliRunner().invoke(app, ["map", *options]).exit_code == 0
    text = (tmp_path / "map.json").read_text()
    monkeypatch.setenv("KERAS_BACKEND", after)
    answer = CliRunner().invoke(app, ["map", *options])

    named = {"tensorflow": None, "jax": "jax"}
    assert answer.exit_code == 2
    assert f"map.json is of another grid: backend {named[before]}, not {named[after]}: name" in answer.stderr
    assert (tmp_path / "map.json").read_text() == text


@pytest.mark.parametrize(
    ("backend", "options", "says"),
    [
        ("torch", [], "members is not there on the torch backend, which has fit, fused_fit, native"),
        (
            "tensorflow",
            ["--device", "gpu:all"],
            "unknown device 'gpu:all'; devices are named cpu, cpu:1, gpu, gpu:0, …",
        ),
        ("tensorflow", ["--device", "cpu:7"], "device cpu:7 is not there; here: cpu:0"),
        ("jax", ["--device", "gpu:all"], "device gpu is not there; here: cpu:0"),
        ("tensorflow", ["--json", "map.svg"], "unknown format '.svg' of map.svg; known: .json"),
        ("tensorflow", ["--plot", "map.json"], "unknown format '.json' of map.json; known: .png, .svg, .html"),
        (
            "tensorflow",
            ["--batch-sizes", "1.5"],
            "--batch-sizes needs numbers with commas between, as in 1,10. Received",
        ),
        ("tensorflow", ["--samples", "0"], "samples must be a whole number from 1 to 2147483647. Received: 0"),
    ],
)
def test_a_map_that_cannot_be_trained_is_refused(
    backend: str,
    options: list[str],
    says: str,
    tmp_path: Path,
    asked: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line on stderr and exit 2, before anything is built or written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(backends, "choose", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setenv("KERAS_BACKEND", backend)
    answer = CliRunner().invoke(app, ["map", *options])

    assert answer.exit_code == 2
    assert re.fullmatch(f"python -m parabola: {re.escape(says)}.*\n", answer.stderr)
    assert (answer.stdout, os.listdir(), asked) == ("", [], [])


def test_the_backend_option_is_the_one_that_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the option names is handed on, and what is wrong with it is said."""

    def refuse(name: str | None) -> None:
        raise ValueError(f"chosen: {name}")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(backends, "choose", refuse)
    for options, name in (([], None), (["--backend", "jax"], "jax")):
        answer = CliRunner().invoke(app, ["map", *options])
        assert (answer.exit_code, answer.stderr) == (2, f"python -m parabola: chosen: {name}\n")


GRID = ["--learning-rates", "0.1,0.001,0.5", "--batch-sizes", "1,9", "--seeds", "700"]


def test_shards_and_their_merge(tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each shard has a file of its own; joined without any option they are the file and the table of one run."""
    monkeypatch.chdir(tmp_path)
    whole = CliRunner().invoke(app, ["map", *GRID, "--json", "whole.json"])
    shards = [CliRunner().invoke(app, ["map", *GRID, "--shard", f"{number}/5"]) for number in range(1, 6)]
    names = [f"learning_map-{number}-of-5.json" for number in range(1, 6)]

    assert [answer.exit_code for answer in shards] == [0] * 5, shards
    assert re.fullmatch(
        r"learning_map-2-of-5\.json holds shard 2/5: \d of 6 cells, and [\d,]+ runs of others\n", shards[1].stdout
    )
    assert sorted(os.listdir()) == [*names, "whole.json"]
    joined = CliRunner().invoke(app, ["map", "--merge", *names, "--plot", "map.svg"])
    assert joined.exit_code == 0, joined.output
    assert Path("learning_map.json").read_bytes() == Path("whole.json").read_bytes()
    assert joined.stdout == whole.stdout.replace("whole.json", "learning_map.json")
    assert Path("map.svg").read_text().startswith("<svg")


def test_a_file_that_another_command_writes_is_refused(
    tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that names it, and exit 2, for shards, merges and links; then the same command trains."""
    monkeypatch.chdir(tmp_path)
    path, link = Path("a map.json"), Path("link.json")
    assert CliRunner().invoke(app, ["map", *GRID, "--shard", "1/2", "--json", str(path)]).exit_code == 0
    link.symlink_to(path)
    before, second = path.read_bytes(), ["map", *GRID, "--shard", "2/2", "--json"]
    asked.clear()
    with files.alone(path) as free:
        assert free
        for typed in ([*second, str(path)], [*second, str(link)], ["map", "--merge", str(path), "--json", str(link)]):
            answer = CliRunner().invoke(app, typed)
            says = f"another map command is writing {typed[-1]}: wait for it, or name another file with --json"
            assert (answer.exit_code, answer.stdout, answer.stderr) == (2, "", f"python -m parabola: {says}\n")
        assert (path.read_bytes(), asked) == (before, [])

    assert CliRunner().invoke(app, [*second, str(path)]).exit_code == 0
    assert len(map_file.load(path).cells) == 6
    assert sorted(os.listdir()) == ["a map.json", "link.json"]


def test_a_map_holds_its_file_as_long_as_it_trains(
    tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no longer, also where Ctrl-C ends it."""
    monkeypatch.chdir(tmp_path)
    seen = list[bool]()

    def train_map(grid: Grid, to: Path, **_: Any) -> Any:
        with files.alone(to) as free:
            seen.append(free)
        raise KeyboardInterrupt

    monkeypatch.setattr(learning_map, "train_map", train_map)
    assert CliRunner().invoke(app, ["map", *GRID]).exit_code == 130
    assert (seen, os.listdir()) == ([False], [])


def test_a_file_that_is_typed_is_the_file_of_a_shard(
    tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where it is called as the file is that a map has by default."""
    monkeypatch.chdir(tmp_path)
    answer = CliRunner().invoke(app, ["map", *GRID, "--shard", "1/2", "--json", "learning_map.json"])

    assert answer.stdout.startswith("learning_map.json holds shard 1/2: ")
    assert os.listdir() == ["learning_map.json"]


def test_a_merge_that_lacks_shards_keeps_what_is_there(
    tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2 with a line that says how much there is; the same command with the missing file makes it whole."""
    monkeypatch.chdir(tmp_path)
    for number in (1, 2):
        CliRunner().invoke(app, ["map", *GRID, "--shard", f"{number}/2", "--json", f"{number}.json"])
    answer = CliRunner().invoke(app, ["map", "--merge", "1.json"])

    assert answer.exit_code == 2
    says = (
        r"python -m parabola: learning_map\.json keeps \d of 6 cells(, and [\d,]+ runs of others)?; the other shards "
    )
    assert re.fullmatch(says + r"are missing\n", answer.stderr)
    assert CliRunner().invoke(app, ["map", "--merge", "2.json"]).exit_code == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--merge", "--merge needs the files of shards, and files need --merge. Received: no file"),
        ("a.json", "--merge needs the files of shards, and files need --merge. Received: a.json"),
        ("--merge a.json", "a.json is not there"),
        ("--shard 3", "--shard needs a shard's number, and how many there are, as 3/16. Received: '3'"),
        ("--shard 0/3", "as 3/16. Received: '0/3'"),
        ("--shard 4/3", "as 3/16. Received: '4/3'"),
        ("--shard 3/16/2", "as 3/16. Received: '3/16/2'"),
        ("--shard 1/2 --plot map.svg", "--merge trains nothing, and --shard has no whole map to plot"),
        ("--shard 1/2 --merge a.json", "--merge trains nothing, and --shard has no whole map to plot"),
        ("--cluster tcp://a:1 --merge a.json", "--merge trains nothing, and --shard has no whole map to plot"),
        ("--cluster tcp://a:1 --backend jax --device gpu:all", "--cluster needs a device that each worker has, as gpu"),
    ],
)
def test_parts_of_a_map_that_cannot_be_are_refused(
    options: str, says: str, tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line and exit 2, and no file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(backends, "choose", lambda name: None)
    answer = CliRunner().invoke(app, ["map", *options.split()])

    assert answer.exit_code == 2
    assert answer.stderr.startswith("python -m parabola: ")
    assert says in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert (os.listdir(), asked) == ([], [])


def test_a_map_goes_to_the_cluster_that_is_named(
    tmp_path: Path, asked: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its device; no device is looked for here. When the scheduler is gone, a line says what is kept."""
    path, told = tmp_path / "map.json", list[Any]()

    @contextmanager
    def trainer(address: str | None, device: str, say: Any) -> Iterator[Any]:
        def train(parts: Any, progress: Any) -> Iterator[Any]:
            yield from learning_map.train_here([next(iter(parts))], progress)
            raise cluster.ClusterError("the scheduler at tcp://there:1 is gone")

        told.append((address, device))
        say("worker a is refused: it has numpy 1")
        yield train

    monkeypatch.setattr(cluster, "trainer", trainer)
    monkeypatch.setattr(devices, "resolve", lambda name: pytest.fail("a device was looked for"))
    answer = CliRunner().invoke(
        app, ["map", *GRID, "--device", "gpu:1", "--cluster", "tcp://there:1", "--json", str(path)]
    )

    assert told == [("tcp://there:1", "gpu:1")]
    assert answer.exit_code == 7
    kept = f"{path} keeps 3 of 6 cells; the same command goes on from there"
    assert answer.stderr == (
        f"worker a is refused: it has numpy 1\npython -m parabola: the scheduler at tcp://there:1 is gone; {kept}\n"
    )
