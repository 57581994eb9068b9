"""What records say: held against numbers that are known, on the terminal, in Markdown and on the command line."""

import contextlib
import copy
import dataclasses
import re
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from parabola import statistics
from parabola.commands.app import app
from parabola.records import history, reading, speedups
from parabola.records.record import Measurement, Record
from parabola.report import page
from parabola.report import sections as report_sections
from parabola.report import text as report_text
from parabola.report.answer import Opening
from tests import made_records
from tests.made_measurements import values_of

ROOT = Path(__file__).parents[2]
NATIVE_9 = "native-cpu-batch_9-learning_rate_0.001"
GPU = {"gpu": "NVIDIA H100, driver 580", "cuda": "12.5", "cpu_model": "Other CPU", "cores": 16}


def read(folder: Path, *contents: dict[str, Any]) -> list[Record]:
    return [reading.read(path) for path in made_records.write(folder, *contents)]


def named(found: list[Record], **of: Any) -> Measurement:
    """Return the one measurement of the records that has such values."""
    every = [measurement for record in found for measurement in record.measurements]
    (measurement,) = [one for one in every if values_of(one).items() >= of.items()]
    return measurement


def run(*arguments: str, folder: Path) -> Result:
    """Return what `report` answers in a folder."""
    with contextlib.chdir(folder):
        return CliRunner().invoke(app, ["report", *arguments])


def test_now_has_every_case_with_spread_ratio_and_answer(tmp_path: Path) -> None:
    """Ratios to native are of the medians; error and verdict stand beside each."""
    found = read(tmp_path, made_records.record())
    (section, *_) = report_sections.sections(found)
    (details,) = section.details
    row = next(row for row in details.rows if row[:1] + row[3:4] == ("compiled", "27"))
    slow = named(found, kind="epoch time", engine="compiled", batch_size=27)
    limit = named(found, kind="epoch time", engine="native", batch_size=27)

    assert len(details.rows) == 10
    assert row[7] == f"{slow.times.median / limit.times.median:.2f}" == "1.43"
    assert row[8:] == ("0.00017", "verified; learnt", str(slow.times.rounds))
    assert section.tables[0].headings == ("batch size", "learning rate", "compiled cpu", "native cpu")
    assert len(section.tables[1].rows) == 5
    assert len(section.pictures) == 2


def test_now_is_the_newest_commit_and_each_case_as_measured_last(tmp_path: Path) -> None:
    """Several records of a commit add up; older commits have no part in it."""
    once = made_records.named(made_records.suite(), "compiled-cpu-batch_1-learning_rate_0.001")
    again = [made_records.benchmark("epoch time", once["param"], 5e-5, **once["extra_info"])]
    later = made_records.record(again, commit=3, datetime="2026-02-01T00:00:00+00:00")
    found = read(tmp_path, made_records.record(commit=1), made_records.record(commit=3), later)
    now = report_sections.sections(found)[0]

    assert now.lines[0].startswith(f"Commit {made_records.commit_id(3)[:9]}, measured 2026-02-01 00:00 UTC, 2 records")
    assert now.tables[0].rows[0][2] == "50 µs (2.65×) "
    assert now.tables[0].rows[1][2].startswith("4.78 µs")


def test_a_session_cut_short_and_what_failed_are_said(tmp_path: Path) -> None:
    """By the file's name, and with how far it came."""
    content = made_records.record()
    content["parabola"]["session"] = {"planned": 40, "over": 16, "failed": ["benchmarks/bench_x.py::bench_x[a]"]}
    found = read(tmp_path, content)
    lines = report_sections.sections(found)[0].lines

    assert any(f"{found[0].path} was cut short: 16 of 40 tests were over" in line for line in lines)
    assert "bench_x[a] failed, so it has no time." in lines


def test_machines_are_never_pooled(tmp_path: Path) -> None:
    """Each machine has its own now and its own history, and what differs is said."""
    twice = made_records.record(made_records.suite(slower=2.0), commit=1, machine={"cores": 64})
    sections = report_sections.sections(read(tmp_path, made_records.record(), twice))

    titles = [f"{part}: cores {cores}" for part in ("Now", "History") for cores in (64, 12)]
    assert [one.title for one in sections] == [
        *titles,
        "Across machines: the ratio to native",
        "CPU against GPU",
        "Machines",
    ]
    assert sections[0].tables[0].rows[0][2].startswith("54 µs")
    assert sections[1].tables[0].rows[0][2].startswith("27 µs")
    assert any("Not pooled with 0001_made.json: cores: 64, not 12." in line for line in sections[0].lines)
    assert all("a history takes two or more" in section.lines[0] for section in sections[2:4])


def test_an_update_goes_on_with_the_history_and_is_told(tmp_path: Path) -> None:
    """Now is the newest software's; the history says what changed where, in words, table and pictures."""
    records = [made_records.record(commit=commit) for commit in range(3)]
    records += [made_records.record(commit=commit, machine={"keras": "3.16.0", "kernel": "6.2"}) for commit in (3, 4)]
    now, past, *_ = report_sections.sections(read(tmp_path, *records))
    changed, newer = "kernel 6.1 → 6.2; Keras 3.15.1 → 3.16.0", made_records.commit_id(3)[:9]

    assert (now.title, past.title) == ("Now", "History")
    assert "Keras 3.16.0" in now.lines[1]
    assert past.lines[2] == f"The machine's software changed once at {newer}: {changed}."
    (table,) = (table for table in past.details if "software" in table.title)
    assert table.rows == ((newer, f"{made_records.committed(3).astimezone(UTC):%Y-%m-%d %H:%M}", changed),)
    layers = past.pictures[0].panels[0].chart.to_dict(validate=False)["layer"]
    (dotted,) = (layer for layer in layers if layer["mark"]["type"] == "rule")
    assert dotted["data"]["values"] == [{"commit": 3.5, "software": changed, "id": newer}]
    assert [(told["field"], told.get("title")) for told in dotted["encoding"]["tooltip"]] == [
        ("software", None),
        ("id", "from commit"),
    ]


def test_a_change_of_level_names_the_update_in_its_range(tmp_path: Path) -> None:
    """A step that comes with another Keras says so, and one without says that there was none."""
    records = made_records.noisy_history(60, {20: 1.5, 40: 1.5}, seed=1)
    for content in records[40:]:
        content["machine_info"]["keras"] = "3.16.0"
    past = report_sections.sections(read(tmp_path, *records))[1]
    words = [row[table.headings.index("software")] for table in past.tables[:1] for row in table.rows]

    assert words == ["Keras 3.15.1 → 3.16.0", "–"]


def test_a_disturbed_session_is_told_by_every_table_made_of_it(tmp_path: Path) -> None:
    """Where native was 10.1 % slower at the end, but not where it was 9.9 % slower or is not known."""
    for last, marks in ((2.202e-6, " (disturbed)"), (2.198e-6, "")):
        content = made_records.record()
        content["parabola"]["native"] = {"first_seconds": 2e-6, "last_seconds": last}
        now = report_sections.sections(read(tmp_path, content))[0]
        assert {table.title.endswith(marks) for table in (*now.tables, *now.details)} == {True}
        assert ("disturbed" in now.lines[-1]) == bool(marks)

    records = [made_records.record(commit=commit) for commit in range(3)]
    records[0]["parabola"]["native"] = {"first_seconds": 3e-6, "last_seconds": 2e-6}
    now, past, *_ = report_sections.sections(read(tmp_path, *records))
    assert all("disturbed" not in table.title for table in (*now.tables, *now.details))
    assert {table.title.endswith(" (1 of 3 records disturbed)") for table in (*past.tables, *past.details)} == {True}
    assert past.lines[-1].endswith(
        "0001_made.json was disturbed: native took 3 µs an epoch before the first test and 2 µs after the last one."
    )


def test_of_many_machines_the_last_few_have_parts_and_the_others_are_named(tmp_path: Path) -> None:
    """As CI's machines are updated; what has a name has its part in any case."""
    contents = [made_records.record(commit=3 * week, machine={"cores": 60 + week}) for week in range(7)]
    found = read(tmp_path, *contents)
    sections = report_sections.sections([dataclasses.replace(found[0], name="old"), *found[1:]])
    titles = [section.title for section in sections]

    assert titles[:5] == ["Now: cores 66", "Now: cores 65", "Now: cores 64", "Now: cores 63", "Now: old"]
    assert titles[-1] == "Earlier machines"
    assert [row[0] for row in sections[-1].tables[0].rows] == ["cores 62", "cores 61"]


def test_two_devices_of_one_machine(tmp_path: Path) -> None:
    """Speed-ups of each case with their intervals, and from which size on the second device wins."""
    both = made_records.suite() + made_records.suite("gpu:0", faster_when_large=True)
    found = read(tmp_path, made_records.record(both))
    section = next(one for one in report_sections.sections(found) if one.title == "cpu against gpu:0")
    (table,) = section.tables
    row = next(row for row in table.rows if row[0] == "members: compiled, 512 members, batch 111, learning rate 0.1")
    cpu, gpu = (named(found, kind="members", members=512, device=device) for device in ("cpu", "gpu:0"))
    low, high = map(float, row[5].split(" – "))

    assert section.lines == (
        "compiled: gpu:0 is never surely faster in the range measured (batch size 1 to 999).",
        "compiled, many members (a CPU's on one core): "
        "gpu:0 is faster from 64 members on, not yet at 8 (measured: 1 to 512 members).",
    )
    assert len(table.rows) == 10
    assert low < cpu.times.median / gpu.times.median < high
    assert row[4] == f"{cpu.times.median / gpu.times.median:.3g} ×"
    assert len(section.pictures) == 2


def test_two_machines_are_put_together_by_name_only(tmp_path: Path) -> None:
    """Without names there is no comparison; with them the labels are the names."""
    slow, fast = made_records.record(), made_records.record(made_records.suite(slower=0.5), machine=GPU)
    made_records.write(tmp_path, slow, fast)
    unnamed = run("0001_made.json", "0002_made.json", folder=tmp_path)
    together = run("old=0001_made.json", "new=0002_made.json", folder=tmp_path)

    assert unnamed.exit_code == together.exit_code == 0, together.stderr
    assert " against " not in unnamed.stdout.replace("CPU against GPU", "")
    assert "No machine has measured two devices. Two machines are compared once you name them" in unnamed.stdout
    assert "old against new" in together.stdout
    assert re.search(r"epoch time: compiled, batch 27, learning rate 0.001 +old : new .* 2 ×", together.stdout)
    assert "compiled: new is faster in the whole range measured (batch size 1 to 999)." in together.stdout


def test_a_name_is_for_one_machine(tmp_path: Path) -> None:
    """Two that differ under one name are refused; two names for records of one machine keep them apart."""
    slow, fast = made_records.record(), made_records.record(made_records.suite(slower=0.5))
    made_records.write(tmp_path, slow, fast, made_records.record(machine=GPU))
    apart = run("before=0001_made.json", "after=0002_made.json", folder=tmp_path)
    refused = run("one=0001_made.json", "one=0003_made.json", folder=tmp_path)

    assert re.search(r"epoch time: compiled, batch 27, learning rate 0.001 +before : after .* 2 ×", apart.stdout)
    assert refused.exit_code == 2
    assert refused.stderr.startswith("python -m parabola: a name is for one machine. Received: 'one' for two, which ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("wins", "says"),
    [
        ([(1, False), (9, False)], "gpu is never surely faster in the range measured (batch size 1 to 9)"),
        ([(1, True), (9, True)], "gpu is faster in the whole range measured (batch size 1 to 9)"),
        ([(1, False), (9, True), (27, True)], "gpu is faster from batch size 9 on, not yet at 1"),
        ([(1, True), (9, False), (27, True)], "gpu is faster at batch size 1, 27 only"),
        ([(1, True), (9, False)], "gpu is faster at batch size 1 only"),
        ([(7, False)], "gpu is never surely faster in the range measured (batch size 7 alone)"),
    ],
)
def test_crossover(wins: list[tuple[int, bool]], says: str) -> None:
    """From which size on the second side surely wins, or a plain sentence that it does not."""
    assert speedups._crossover(wins, "batch size {}", "gpu").startswith(says)


def test_crossovers_know_what_they_cannot_tell(tmp_path: Path) -> None:
    """Too few rounds decide nothing; of several learning rates each has its sentence, which names it."""
    both = made_records.suite() + made_records.suite("gpu:0", slower=0.01)
    few = copy.deepcopy(both)
    for one in few:
        one["stats"]["rounds"] = 2
    pair = [made_records.named(both, f"compiled-{device}-batch_1-learning_rate_0.001") for device in ("cpu", "gpu:0")]
    other = [
        made_records.benchmark("epoch time", one["param"] + "x", seconds, **one["extra_info"])
        for one, seconds in zip(pair, (1.0, 2.0), strict=True)
    ]
    for one in other:
        one["extra_info"]["learning_rate"] = 0.1
    said = [
        next(part.lines for part in report_sections.sections(read(tmp_path, content)) if " against " in part.title)
        for content in (made_records.record(few), made_records.record(both + other))
    ]

    assert said[0] == (
        "compiled: too few rounds to tell.",
        "compiled, many members (a CPU's on one core): too few rounds to tell.",
    )
    assert said[1][:2] == (
        "compiled, 999 samples, learning rate 0.001: "
        "gpu:0 is faster in the whole range measured (batch size 1 to 999).",
        "compiled, 999 samples, learning rate 0.1: "
        "gpu:0 is never surely faster in the range measured (batch size 1 alone).",
    )


def test_history_finds_a_planted_step(tmp_path: Path) -> None:
    """10 % at commit 130 of 200, in noise of 3 %: found in every case, within three commits, and in no other place."""
    found = read(tmp_path, *made_records.noisy_history(200, {130: 1.10}))
    (past,) = history.histories(found)
    changes = [change for line in past.lines for change in line.changes]

    assert len(past.commits) == 200
    assert len(past.lines) == 15
    assert len(changes) == 15
    assert all(abs(change.at - 130) <= 3 and 1.05 < change.ratio < 1.15 for change in changes)
    section = report_sections.sections(found)[1]
    assert (
        section.lines[1]
        == "1 change of level found in 15 cases; what the newest 4 commits of each bring cannot be told yet."
    )
    assert section.tables[0].rows[0][2:] == ("slower", section.tables[0].rows[0][3], "all 15: machine or software?")
    assert len(section.details[0].rows) == 15


def test_history_goes_by_the_commits_dates_and_leaves_out_what_is_no_commit(tmp_path: Path) -> None:
    """Whatever the order of the files; several records of a commit are one point, their median."""
    contents = [made_records.record(made_records.suite(slower=slow), commit=2) for slow in (1.0, 3.0, 1.2)]
    contents += [made_records.record(commit=commit) for commit in (7, 1)]
    dirty, nowhere = made_records.record(commit=9), made_records.record(commit=9)
    dirty["commit_info"]["dirty"] = True
    nowhere["commit_info"] = {"id": "unversioned", "time": None, "dirty": False}
    (past,) = history.histories(read(tmp_path, *contents, dirty, nowhere))
    line = next(line for line in past.lines if line.measurement.case.parameters == NATIVE_9)
    usual = line.seconds[0]

    assert [commit.id for commit in past.commits] == [made_records.commit_id(commit) for commit in (1, 2, 7)]
    assert past.left_out == 2
    np.testing.assert_allclose(line.seconds / usual, [1, 1.2, 1])


def test_a_change_lies_after_the_last_commit_before_it_that_was_measured(tmp_path: Path) -> None:
    """A case that only some commits measure blames all those in between; the others are not drawn in."""
    contents = made_records.noisy_history(200, {95: 1.3})
    for commit, content in enumerate(contents):
        if commit % 10:
            rare = made_records.named(content["benchmarks"], "compiled-cpu-batch_1-learning_rate_0.001")
            content["benchmarks"].remove(rare)
    section = report_sections.sections(read(tmp_path, *contents))[1]
    (told,) = (
        row for row in section.details[0].rows if row[0] == "epoch time: compiled, cpu, batch 1, learning rate 0.001"
    )
    before, last = made_records.numbers(told[-1])
    ranges = [made_records.numbers(row[0]) for row in section.tables[0].rows]

    assert (before, last) == (90, 100)
    assert all(before < 95 <= last for before, last in ranges)
    assert [row[-1] for row in section.tables[0].rows] == ["all 15: machine or software?"]


def test_before_and_after_keep_to_their_level(tmp_path: Path) -> None:
    """Of a change that is taken back after eight commits, the level between them is shown."""
    found = read(tmp_path, *made_records.noisy_history(120, {60: 1.5, 68: 1 / 1.5}))
    rows = [
        row
        for row in report_sections.sections(found)[1].details[0].rows
        if "compiled, cpu, 1 member, batch 111, learning rate 0.1" in row[0]
    ]

    assert len(rows) == 2
    up, down = rows
    assert up[4] == down[3]
    assert float(up[4].split()[0]) / float(up[3].split()[0]) == pytest.approx(1.5, rel=0.1)


def test_rounds_of_another_length_are_another_case(tmp_path: Path) -> None:
    """With --epochs a call's own cost weighs otherwise: neither now nor over commits are they mixed."""
    short = made_records.record(made_records.suite(slower=5.0), commit=2)
    short["parabola"]["grid"] = {"epochs": 1}
    found = read(tmp_path, *[made_records.record(commit=commit) for commit in range(3)], short)
    (past,) = history.histories(found)
    epochs = [line for line in past.lines if line.measurement.case.kind == "epoch time"]

    assert len(epochs) == 20
    assert {len(line.at) for line in epochs} == {1, 3}
    assert any(line.measurement.case.label.endswith("learning rate 0.001, 1 epochs a round") for line in epochs)


def test_two_states_of_one_commit_are_not_pooled(tmp_path: Path) -> None:
    """Of a working tree with changes the last record counts alone: nobody knows what changed in between."""
    full, part = made_records.record(), made_records.record(made_records.suite()[:1], datetime="2026-03-01T00:00:00")
    for content in (full, part):
        content["commit_info"]["dirty"] = True
    now = report_sections.sections(read(tmp_path, full, part))[0]

    said = "with changes of its own, measured 2026-03-01 00:00 UTC, 1 record."
    assert now.lines[0] == f"Commit {made_records.commit_id(0)[:9]} {said}"
    assert len(now.details[0].rows) == 1


def test_pass_rates_go_with_the_commits(tmp_path: Path) -> None:
    """The newest count with Wilson's interval, and the range so far."""
    contents = [made_records.record(commit=commit) for commit in range(3)]
    for content, settled in zip(contents, (30, 38, 36), strict=True):
        made_records.named(content["benchmarks"], "compiled-cpu-111-0.1")["extra_info"]["settled_seeds"] = settled
    others = [one for one in made_records.suite() if one["param"] != "compiled-cpu-111-0.1"]
    later = made_records.record(others, commit=3)
    section = report_sections.sections(read(tmp_path, *contents))[1]
    without = report_sections.sections(read(tmp_path, *contents, later))[1]
    low, high = statistics.share_interval(36, 41)
    (row,), (unknown,) = section.tables[-1].rows, without.tables[-1].rows

    assert row[0] == "time to accuracy: compiled, cpu, batch 111, learning rate 0.1"
    assert row[1:] == ("36 of 41", f"{100 * low:.0f} – {100 * high:.0f} %", "73 – 93 %")
    assert unknown[1:] == ("not measured", "–", "73 – 93 %")


def test_markdown_has_all_of_it_and_escapes(tmp_path: Path) -> None:
    """Headings, sentences, tables, and details in folds; nothing is read as HTML."""
    content = made_records.record(machine={"cpu_model": "A|B <b>"})
    text = report_text.markdown(report_sections.sections(read(tmp_path, content)))

    assert text.startswith("### Now\n")
    assert "A\\|B &lt;b&gt;" in text
    assert "| batch size | learning rate | compiled cpu | native cpu |\n| ---: | ---: | ---: | ---: |" in text
    assert text.count("<details>") == text.count("</details>") == 2
    rows = [line for line in text.splitlines() if line.startswith("| compiled")]
    assert len(rows) == 5
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {12}


def test_the_page_has_the_tables_as_text_and_escapes(tmp_path: Path) -> None:
    """All that the pictures show is there without a script; names cannot break out."""
    content = made_records.record(machine={"cpu_model": "</script><script>alert(1)</script>"})
    html = page.page(report_sections.sections(read(tmp_path, content)), Opening("T", (), {}))

    assert "<script>alert(1)" not in html
    for figure in ("27 µs (1.43×)", "1.42 µs", "2.06 ms", "36 of 41"):
        assert figure in html
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in html
    assert len(re.findall(r"<script type=.application/json. data-chart", html)) == 2


def test_command_line_names_and_skips_what_is_no_record(tmp_path: Path) -> None:
    """The others are reported; with none left it exits 6; the files are as they were."""
    made_records.write(tmp_path, made_records.record(), {}, {**made_records.record(), "parabola": {"version": 9}})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    some, none = run(".", folder=tmp_path), run("0002*", "0003_made.json", folder=tmp_path)

    assert some.exit_code == 0, some.stderr
    assert "skipped 0002_made.json: not a record of pytest-benchmark\n" in some.stderr
    assert "skipped 0003_made.json: of version 9; this parabola reads versions 1 to 2\n" in some.stderr
    assert none.exit_code == 6
    assert none.stderr.endswith("none of 2 files is a record that can be read\n")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_name_may_be_an_updated_machines(tmp_path: Path) -> None:
    """It has one history, which tells the update; what is shown, and held against others, was measured last."""
    contents = [made_records.record(commit=1), made_records.record(commit=2, machine={"kernel": "6.2"})]
    contents.append(made_records.record(made_records.suite(slower=0.5), commit=3, machine=GPU))
    made_records.write(tmp_path, *contents)
    answer = run("old=0001_made.json", "old=0002_made.json", "new=0003_made.json", folder=tmp_path)

    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout.count("Now: old\n") == 1
    assert "GPU none; Linux 6.1; " in answer.stdout
    assert f"software changed once at {made_records.commit_id(2)[:9]}: kernel 6.1 → 6.2." in answer.stdout
    assert answer.stdout.count("old against new") == 1


def test_every_cpu_is_held_against_every_gpu(tmp_path: Path) -> None:
    """Whichever was named first."""
    both = made_records.suite() + made_records.suite("gpu:0", slower=0.1) + made_records.suite("gpu:1", slower=0.2)
    made_records.write(tmp_path, made_records.record(both, machine=GPU), made_records.record())
    answer = run("gpu=0001_made.json", "cpu=0002_made.json", folder=tmp_path)
    held = set(re.findall(r"members: .*512 members.*?  +(\S.*? : \S.*?)  ", answer.stdout))

    assert {"gpu cpu : gpu gpu:0", "gpu cpu : gpu gpu:1", "cpu : gpu gpu:0", "cpu : gpu gpu:1", "gpu cpu : cpu"} == held
    assert "compiled cpu : gpu:0   compiled cpu : gpu:1" in answer.stdout


def test_a_device_that_the_newest_commit_lacks_is_said(tmp_path: Path) -> None:
    """It does not vanish without a word."""
    both = made_records.suite() + made_records.suite("gpu:0")
    found = read(tmp_path, made_records.record(both, commit=1), made_records.record(commit=4))
    said = f"gpu:0 is not here: it was measured last at commit {made_records.commit_id(1)[:9]}."

    assert said in report_sections.sections(found)[0].lines


def test_an_output_does_not_replace_a_record(tmp_path: Path) -> None:
    """Though it be named like one."""
    made_records.write(tmp_path, made_records.record())
    (tmp_path / "0001_made.json").rename(tmp_path / "record.md")
    before = (tmp_path / "record.md").read_bytes()
    answer = run("record.md", "--markdown", "record.md", folder=tmp_path)

    assert answer.exit_code == 2
    assert answer.stderr == "python -m parabola: a record would be overwritten: choose another file than record.md\n"
    assert (tmp_path / "record.md").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("",), "no record there: a JSON file, a folder of them or a glob. Received: ''"),
        (("a=",), "no record there: a JSON file, a folder of them or a glob. Received: ''"),
        (("x" * 300,), "no record there: a JSON file, a folder of them or a glob. Received: 'xxx"),
        ((), "no record under .benchmarks: `pytest --benchmark-only --benchmark-autosave` leaves one"),
        (("gone/*.json",), "no record there: a JSON file, a folder of them or a glob. Received: 'gone/*.json'"),
        ((".", "--html", "page.txt"), "unknown format '.txt' of page.txt; known: .html"),
        ((".", "--markdown", "nowhere/page.md"), "cannot write nowhere/page.md"),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    """It names the value and what would be right, and exits 2."""
    answer = run(*arguments, folder=tmp_path)

    assert answer.exit_code == 2
    assert answer.stderr.count("\n") == 1
    assert says in answer.stderr


def test_without_a_source_the_newest_under_benchmarks(tmp_path: Path) -> None:
    """As a session with --benchmark-autosave leaves it."""
    folder = tmp_path / ".benchmarks/Linux"
    folder.mkdir(parents=True)
    made_records.write(folder, made_records.record(commit=4))
    answer = run("--html", "page.html", "--markdown", "summary.md", folder=tmp_path)

    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout.startswith(f"Now\nCommit {made_records.commit_id(4)[:9]}")
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "summary.md").read_text().startswith("### Now")


def test_a_caption_explains_the_rules_of_its_picture(tmp_path: Path) -> None:
    """Those of changes and those of updates; without two devices, a line stands where these would be compared."""
    contents = made_records.noisy_history(30, {15: 1.5})
    for content in contents[20:]:
        content["machine_info"]["keras"] = "3.16.0"
    sections = report_sections.sections(read(tmp_path, *contents))
    told = "; dashed rules stand where a level changed; dotted rules where the machine's software changed."

    assert sections[1].pictures[0].caption == f"Median seconds per epoch, against the line's own median{told}"
    assert [section.chapter for section in sections] == ["Now", "History", "CPU against GPU", "Machines"]
    assert sections[2].lines == (
        "No machine has measured two devices. Two machines are compared once you name them: NAME=RECORD.",
    )
    assert (sections[2].tables, sections[2].pictures) == ((), ())


def test_a_long_history_shares_points(tmp_path: Path) -> None:
    """Beyond 250 commits neighbours share a row and a point; changes are still placed to the commit."""
    found = read(tmp_path, *made_records.noisy_history(300, {200: 1.2}))
    section = report_sections.sections(found)[1]
    epochs = next(table for table in section.details if table.title == "Epoch time by commit")
    drawn = section.pictures[0].panels[0].chart.to_dict(validate=False)
    points = max(drawn["datasets"].values(), key=len)

    assert len(epochs.rows) == 250
    assert " to " in epochs.rows[0][0]
    assert len(points) == 250 * 5
    before, last = made_records.numbers(section.tables[0].rows[0][0])
    assert before < 200 <= last + 1
    assert last - before <= 3
