"""What a report says of now, of machines and of devices: sentences, tables and pictures, each by value."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parabola.records.record import Measurement, Record
from parabola.report import sections as report_sections
from parabola.report.parts import Section
from tests.made_measurements import altered, measurement, record
from tests.made_tables import alignment

LAST = datetime(2026, 3, 9, 23, 59, tzinfo=UTC)
GPU_MACHINE = {"cpu_model": "Other CPU", "cores": 64, "cores_usable": 16, "memory_gib": 500, "gpu": "Made-up GPU"}


def native(batch_size: int = 9, **changed: Any) -> Measurement:
    return measurement(engine="native", batch_size=batch_size, **changed)


def seeds(settled: int = 31, of: int = 38, device: str = "cpu", **changed: Any) -> Measurement:
    """Return a time to accuracy."""
    changed = {"median": 6e-3, "low_quartile": 5.5e-3, "high_quartile": 7.25e-3, "rounds": 5, **changed}
    return measurement(
        f"compiled-{device}-111-0.1",
        **{"function": "bench_time_to_accuracy", "kind": "time to accuracy", "unit": "seconds per run"},
        **{"device": device, "batch_size": 111, "learning_rate": 0.1, "coefficient_error": None, "verdict": None},
        **{"seeds": of, "settled_seeds": settled, **changed},
    )


def block(members: int, device: str = "cpu", **changed: Any) -> Measurement:
    """Return an epoch of so many members."""
    return measurement(
        f"{device}-members_{members}",
        **{"function": "bench_members", "kind": "members", "unit": "seconds per epoch of all", "device": device},
        **{"members": members, "batch_size": 111, "learning_rate": 0.1, "coefficient_error": None, "verdict": None},
        **changed,
    )


def on(day: int, *measurements: Measurement, **changed: Any) -> Record:
    """Return a record of a commit of its own, measured at noon of such a day of March."""
    when = datetime(2026, 3, day, 12, tzinfo=UTC)
    values: dict[str, Any] = {"commit": f"{30 - day:02}aabbccd" + "e" * 31, "committed": when - timedelta(days=1)}
    return record(*measurements, **{**values, "measured": when, "path": f"records/{day}.json", **changed})


def titled(sections: list[Section], title: str) -> Section:
    (found,) = [section for section in sections if section.title == title]
    return found


def test_now_begins_with_commit_moment_and_machine() -> None:
    """The facts of the machine stand in one sentence; what is not set is told as none."""
    (now, *_) = report_sections.sections([record(measurement(), measured=LAST)])

    assert now.title == "Now"
    assert now.lines == (
        "Commit c0ffee123, measured 2026-03-09 23:59 UTC, 1 record.",
        "Machine: Made-up CPU_7 <2.9 GHz> & Söhne, 10 of 12 cores, 31 GiB; GPU none; Linux 6.1; Python 3.13.1, "
        "TensorFlow 2.21.0, Keras 3.15.1; threads default; XLA_FLAGS none.",
    )
    assert now.pictures == ()


def test_a_backend_and_flags_are_said_of_a_machine() -> None:
    """A backend other than TensorFlow stands before TensorFlow's version."""
    changed = {"backend": "jax 0.7.1", "xla_flags": "--xla_a=1 --xla_b", "threads": "3 (--threads=3)", "gpu": "G, d 5"}
    (now, *_) = report_sections.sections([record(measurement(), machine=changed)])

    assert now.lines[1] == (
        "Machine: Made-up CPU_7 <2.9 GHz> & Söhne, 10 of 12 cores, 31 GiB; GPU G, d 5; Linux 6.1; Python 3.13.1, "
        "jax 0.7.1, TensorFlow 2.21.0, Keras 3.15.1; threads 3 (--threads=3); XLA_FLAGS --xla_a=1 --xla_b."
    )


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"dirty": True}, "Commit c0ffee123 with changes of its own, measured 2026-03-04 06:36 UTC, 1 record."),
        ({"commit": "", "committed": None}, "No commit, measured 2026-03-04 06:36 UTC, 1 record."),
        ({"commit": "", "committed": None, "dirty": True}, "No commit, measured 2026-03-04 06:36 UTC, 1 record."),
    ],
)
def test_code_that_is_no_commit_alone_is_said(changed: dict[str, Any], says: str) -> None:
    """Of it the last record counts alone, since nobody knows whether another one is of the same code."""
    last, before = record(measurement(), **changed), record(native(), measured=datetime(2026, 3, 1, tzinfo=UTC))
    for earlier in (before, record(native(), **{**changed, "measured": datetime(2026, 3, 1, tzinfo=UTC)})):
        now = report_sections.sections([earlier, last])[0]
        assert now.lines[0] == says
        assert [row[0] for row in now.details[0].rows] == ["compiled"]


def test_now_is_what_was_measured_last_of_a_commit_without_its_dirty_records() -> None:
    """A case of several records has its newest figures; records of other commits, and of changed trees, add nothing."""
    found = [
        on(3, native(27, median=1e-6)),
        on(5, measurement(median=5e-6), native(27, median=2e-6)),
        on(5, measurement(median=7e-6), measured=datetime(2026, 3, 5, 13, tzinfo=UTC)),
        on(5, measurement(median=9e-6), native(1), measured=datetime(2026, 3, 5, 11, tzinfo=UTC), dirty=True),
        on(5, measurement(median=8e-6, epochs=1), measured=datetime(2026, 3, 5, 10, tzinfo=UTC)),
        on(4, native(111)),
    ]
    now = report_sections.sections(found)[0]

    assert now.lines[0] == "Commit 25aabbccd, measured 2026-03-05 13:00 UTC, 3 records."
    assert [(row[0], row[3], row[5]) for row in now.details[0].rows] == [
        ("compiled", "9", "7 µs"),
        ("compiled", "9", "8 µs"),
        ("native", "27", "2 µs"),
    ]


def test_what_was_cut_short_and_what_failed_is_said_of_each_record_of_now() -> None:
    """A session that was over but for one test was cut short; one that was over was not."""
    path = "benchmarks/bench_x.py::"
    found = [
        on(5, measurement(), planned=40, over=39, failed=(f"{path}bench_x[b]", f"{path}bench_x[a]")),
        on(5, native(), planned=7, over=7, path="whole.json", measured=datetime(2026, 3, 5, 13, tzinfo=UTC)),
        on(4, native(), planned=9, over=1, failed=(f"{path}bench_x[old]",)),
    ]

    assert report_sections.sections(found)[0].lines[2:] == (
        "records/5.json was cut short: 39 of 40 tests were over (or its session still runs).",
        "bench_x[b] failed, so it has no time.",
        "bench_x[a] failed, so it has no time.",
    )


def test_the_first_record_of_another_machine_is_named_with_what_differs() -> None:
    """The newest record's facts come first in each difference; records of the same machine are not named."""
    found = [
        on(6, measurement(), machine={"cores": 16, "threads": "4"}),
        on(2, measurement()),
        on(5, measurement(), path="records/sub/5.json"),
        on(4, measurement(), machine={"cores_usable": 3}),
    ]
    sections = report_sections.sections(found)

    assert [section.title for section in sections[:3]] == [
        "Now: cores 16, cores usable 10",
        "Now: cores 12, cores usable 10",
        "Now: cores 12, cores usable 3",
    ]
    assert [section.lines[2] for section in sections[:3]] == [
        "Not pooled with 2.json: cores: 16, not 12; threads: 4, not default.",
        "Not pooled with 6.json: cores: 12, not 16; threads: default, not 4.",
        "Not pooled with 6.json: cores: 12, not 16; cores usable: 3, not 10; threads: default, not 4.",
    ]


def test_a_device_that_is_gone_is_said_with_when_it_was_measured_last() -> None:
    """Each such device is named once, with the newest commit that has it, those of one record in order."""
    gpus = [measurement(device=device) for device in ("gpu:1", "gpu:0")]
    found = [on(2, *gpus), on(7, measurement()), on(4, *gpus[:1], dirty=True), on(3, *gpus[:1]), on(6, measurement())]
    found.append(on(1, measurement(device="gpu:2"), commit="", committed=None))

    assert report_sections.sections(found)[0].lines[2:] == (
        "gpu:1 is not here: it was measured last at commit 26aabbccd with changes of its own.",
        "gpu:0 is not here: it was measured last at commit 28aabbccd.",
        "gpu:2 is not here: it was measured last at no commit.",
    )


def test_now_has_a_table_of_epoch_times_with_a_dagger_and_one_of_what_else_was_timed() -> None:
    """Other times go by their kind, and keep the order of the record within one."""
    cold = measurement("fit-cpu", function="bench_cold_start", kind="cold start", verdict=None, unit="seconds")
    compile_time = altered(cold, kind="compile time", name="x.py::bench_compile_time[fit-cpu]", median=1.5, rounds=3)
    odd = altered(cold, kind="odd", name="x.py::bench_odd", unit="")
    cold = altered(cold, peak_mebibytes=1234.4)
    sections = report_sections.sections(
        [
            record(
                seeds(), odd, cold, native(median=3e-6), compile_time, block(64), block(8), measurement(verdict="fail")
            )
        ]
    )
    times, others = sections[0].tables
    quartiles, ridge, unit = "4.4 µs – 4.7 µs", "batch 111, learning rate 0.1", "seconds per epoch of all"
    accuracy = "seconds per run"

    assert times.title == "Median time per epoch (× native, about the fastest possible)"
    assert times.headings == ("batch size", "learning rate", "native cpu", "compiled cpu")
    assert times.rows == (("9", "0.001", "3 µs ", "4.5 µs (1.50×)†"),)
    assert sections[0].lines[2:] == (
        "† a right run (as the reference), at whose end the coefficient error is not below the learning rate.",
    )
    assert others.title == "What else was timed"
    assert others.headings == ("what", "case", "median", "quartiles", "rounds", "unit", "seeds timed", "peak memory")
    assert alignment(others) == ["left", "left", "right", "right", "right", "left", "right", "right"]
    assert others.rows == (
        ("members", f"compiled, cpu, 64 members, {ridge}", "4.5 µs", quartiles, "11", unit, "–", "–"),
        ("members", f"compiled, cpu, 8 members, {ridge}", "4.5 µs", quartiles, "11", unit, "–", "–"),
        ("compile time", "fit-cpu", "1.5 s", quartiles, "3", "seconds", "–", "–"),
        ("cold start", "fit-cpu", "4.5 µs", quartiles, "11", "seconds", "–", "1,234 MiB"),
        ("time to accuracy", f"compiled, cpu, {ridge}", "6 ms", "5.5 ms – 7.25 ms", "5", accuracy, "31 of 38", "–"),
        ("odd", "bench_odd", "4.5 µs", quartiles, "11", "", "–", "–"),
    )


def test_without_epoch_times_or_others_there_is_no_table_of_them() -> None:
    """A record of one kind alone has one table, and no fold where it has no epoch time."""
    (alone, *_), (other, *_) = (
        report_sections.sections([record(measurement())]),
        report_sections.sections([record(seeds())]),
    )

    assert [table.title for table in alone.tables] == ["Median time per epoch (× native, about the fastest possible)"]
    assert len(alone.details) == 1
    assert [table.title for table in other.tables] == ["What else was timed"]
    assert other.details == ()


def test_details_have_every_epoch_time_with_its_ratio_to_native_at_the_same_setting() -> None:
    """Rows go by samples, learning rate, batch size, engine and device; what there is not is a dash."""
    found = [
        measurement(device="gpu:0", median=3e-3, coefficient_error=None, verdict=None, rounds=3),
        native(median=3e-6, coefficient_error=0.000123456),
        measurement(median=4.5e-6, verdict="fail"),
        measurement(batch_size=27),
        measurement(learning_rate=1e-05),
        measurement(samples=10, batch_size=111),
        measurement(learning_rate=0.1, batch_size=1, median=0.3),
        native(1, learning_rate=0.1, median=1e-4),
    ]
    (details,) = report_sections.sections([record(*found)])[0].details
    quartiles, learnt, short = "4.4 µs – 4.7 µs", "verified; learnt", "verified; not yet learnt"

    assert details.title == "Time per epoch, and what was learnt at the end of the last round"
    assert details.headings == (
        *("engine", "device", "samples", "batch size", "learning rate", "median", "quartiles", "× native"),
        *("coefficient error", "verdict", "rounds"),
    )
    assert alignment(details) == ["left"] * 2 + ["right"] * 7 + ["left", "right"]
    assert details.rows == (
        ("compiled", "cpu", "10", "111", "0.001", "4.5 µs", quartiles, "–", "0.00025", learnt, "11"),
        ("compiled", "cpu", "999", "9", "1e-05", "4.5 µs", quartiles, "–", "0.00025", learnt, "11"),
        ("compiled", "cpu", "999", "9", "0.001", "4.5 µs", quartiles, "1.50", "0.00025", short, "11"),
        ("compiled", "gpu:0", "999", "9", "0.001", "3 ms", quartiles, "1,000.00", "–", "–", "3"),
        ("native", "cpu", "999", "9", "0.001", "3 µs", quartiles, "1.00", "0.00012", learnt, "11"),
        ("compiled", "cpu", "999", "27", "0.001", "4.5 µs", quartiles, "–", "0.00025", learnt, "11"),
        ("compiled", "cpu", "999", "1", "0.1", "300 ms", quartiles, "3,000.00", "0.00025", learnt, "11"),
        ("native", "cpu", "999", "1", "0.1", "100 µs", quartiles, "1.00", "0.00025", learnt, "11"),
    )


def drawn(section: Section) -> list[tuple[str, list[tuple[str, int, float]]]]:
    """Return of each picture its title, and label, size and learning rate of each point."""
    found = []
    for picture in section.pictures:
        charts = [panel.chart.to_dict(validate=False) for panel in picture.panels]
        points = [row for chart in charts for row in chart["datasets"][chart["data"]["name"]]]
        found.append((picture.title, [(row["line"], row["size"], row["learning rate"]) for row in points]))
    return found


def test_times_are_drawn_over_sizes_where_there_are_two() -> None:
    """Of a size at several learning rates the smallest's is drawn; other samples and epochs make other lines."""
    found = [
        measurement("a", learning_rate=0.1),
        measurement("b", learning_rate=0.01),
        measurement("c", batch_size=27, learning_rate=0.1),
        measurement("d", samples=10_000, learning_rate=0.2),
        measurement("e", epochs=3, learning_rate=0.3),
        measurement("f", device="gpu:0", learning_rate=0.4, engine="fit"),
        *(block(8), block(64)),
    ]
    now = report_sections.sections([record(*found)])[0]

    assert drawn(now) == [
        (
            "Time per epoch over batch size",
            [
                *(("compiled, cpu", 9, 0.01), ("compiled, cpu", 27, 0.1), ("compiled, cpu, 10,000 samples", 9, 0.2)),
                *(("compiled, cpu, 3 epochs a round", 9, 0.3), ("fit, gpu:0", 9, 0.4)),
            ],
        ),
        (
            "Time per epoch over members trained together",
            [("cpu", 8, 0.1), ("cpu", 64, 0.1)],
        ),
    ]
    caption = (
        "Medians over rounds, with bars between the quartiles. Both axes are logarithmic. A size that was timed at "
        "several learning rates is drawn at the smallest."
    )
    members = (
        "Members are runs of other seeds that one program trains together: the time is of all, on a CPU of one core."
    )
    assert [picture.caption for picture in now.pictures] == [caption, f"{caption} {members}"]


def test_devices_of_a_machine_are_held_against_each_other() -> None:
    """Rows go by kind and have times, ratio, answers and the interval, where rounds are enough and seeds the same."""
    on_cpu = [
        seeds(31, 38),
        block(8, median=5e-3, low_quartile=5e-3, high_quartile=5e-3),
        measurement(verdict="fail", rounds=2),
        altered(
            seeds(7, 9), kind="cold start", name="x::bench_cold_start[compiled-cpu]", seeds=None, settled_seeds=None
        ),
        altered(block(8), kind="odd"),
    ]
    on_gpu = [
        altered(one, device="gpu:0", name=one.case.name.replace("cpu", "gpu:0"), median=one.times.median / factor)
        for one, factor in zip(on_cpu, (1 / 3, 1234.5, 99.96, 1.005, 1), strict=True)
    ]
    on_gpu[0] = altered(on_gpu[0], settled_seeds=30)
    on_gpu[2] = altered(on_gpu[2], verdict=None)
    on_gpu[3] = altered(on_gpu[3], low_quartile=on_gpu[3].times.median, high_quartile=on_gpu[3].times.median)
    on_gpu[1] = altered(on_gpu[1], low_quartile=on_gpu[1].times.median, high_quartile=on_gpu[1].times.median)
    section = titled(report_sections.sections([record(*on_gpu, *on_cpu)]), "cpu against gpu:0")
    (table,) = section.tables
    published, ridge = "batch 9, learning rate 0.001", "batch 111, learning rate 0.1"
    short = "verified; not yet learnt"

    assert section.lines == (
        "compiled: too few rounds to tell.",
        "compiled, many members (a CPU's on one core): gpu:0 is faster in the whole range measured (8 members alone).",
    )
    assert table.title == "How many times faster the second is; the interval is of these processes' rounds"
    assert table.headings == ("case", "what", "first", "second", "speed-up", "95 % interval", "verdict")
    assert alignment(table) == ["left", "left", "right", "right", "right", "right", "left"]
    assert [row[:5] + row[6:] for row in table.rows] == [
        (f"epoch time: compiled, {published}", "cpu : gpu:0", "4.5 µs", "45 ns", "100 ×", f"{short} / –"),
        (f"members: compiled, 8 members, {ridge}", "cpu : gpu:0", "5 ms", "4.05 µs", "1,234 ×", "– / –"),
        (f"cold start: compiled, {ridge}", "cpu : gpu:0", "6 ms", "5.97 ms", "1 ×", "– / –"),
        (f"time to accuracy: compiled, {ridge}", "cpu : gpu:0", "6 ms", "18 ms", "0.333 ×", "31 of 38 / 30 of 38"),
    ]
    # 0.929 × 1.75 ms / (6 ms × √5) = 0.12117, times 2.306 = t(0.975; 8), is 0.27943; 1.005 / e^0.27943 = 0.76.
    assert [row[5] for row in table.rows] == [
        *("too few rounds", "1,234 – 1,234", "0.76 – 1.33", "not of the same seeds")
    ]
    assert section.pictures == ()


@pytest.mark.parametrize(
    ("settled", "of", "interval"),
    [(31, 38, "0.674 – 1.48"), (31, 39, "not of the same seeds"), (30, 38, "not of the same seeds")],
)
@pytest.mark.parametrize("count", ["settled_seeds", "arrived_seeds"])
def test_times_of_unlike_seeds_have_no_interval(settled: int, of: int, interval: str, count: str) -> None:
    """Both the seeds that were trained and those that are timed have to be as many on both sides."""
    # 0.929 × 1.75 ms / (6 ms × √5) × √2 × t(0.975; 8) is 0.39513, whose exponential is 1.485.
    first, second = ({count: passing} for passing in (31, settled))
    found = [altered(seeds(9, 38), **first), altered(seeds(8, of, device="gpu:0"), **second)]
    section = titled(report_sections.sections([record(*found)]), "cpu against gpu:0")

    assert [row[5:] for row in section.tables[0].rows] == [(interval, f"31 of 38 / {settled} of {of}")]


def test_devices_without_a_common_case_have_a_sentence_and_no_table() -> None:
    """A kind that is not compared counts as none in common."""
    gpu = altered(block(8, "gpu:0"), kind="odd")
    section = titled(
        report_sections.sections([record(measurement(), gpu, altered(block(8), kind="odd"))]), "cpu against gpu:0"
    )

    assert section.lines == ("cpu and gpu:0 have no case in common.",)
    assert section.tables == ()


def test_named_machines_are_held_against_each_other_in_the_order_of_their_names() -> None:
    """A label has the device where a machine has several; an unnamed machine is compared with itself alone."""
    gpus = [measurement("g", device="gpu:0"), measurement("h", batch_size=27, device="gpu:0")]
    found = [
        on(3, measurement(), name="small"),
        on(9, measurement(), *gpus, name="large", machine=GPU_MACHINE),
        on(8, measurement(), *gpus, machine={"kernel": "5"}),
        on(1, measurement(median=1.0), name="small", machine={"cores_usable": 2}),
    ]
    sections = report_sections.sections(found)
    both = "small against large cpu against large gpu:0"

    assert [section.title for section in sections if " against " in section.title] == ["cpu against gpu:0", both]
    assert [row[1:4] for row in titled(sections, both).tables[0].rows] == [
        ("small : large cpu", "4.5 µs", "4.5 µs"),
        ("small : large gpu:0", "4.5 µs", "4.5 µs"),
        ("large cpu : large gpu:0", "4.5 µs", "4.5 µs"),
    ]
    assert [line for _, points in drawn(titled(sections, both)) for line, _, _ in points] == [
        *("small", "large cpu", "large gpu:0", "large gpu:0")
    ]
    assert [section.title for section in sections if section.title.startswith("Now")] == [
        "Now: large",
        "Now: cpu model Made-up CPU_7 <2.9 GHz> & Söhne, gpu none, cores 12, cores usable 10, memory gib 32, kernel 5",
        "Now: small, cpu model Made-up CPU_7 <2.9 GHz> & Söhne, gpu none, cores 12, cores usable 10, memory gib 32, "
        "kernel 6.1",
        "Now: small, cpu model Made-up CPU_7 <2.9 GHz> & Söhne, gpu none, cores 12, cores usable 2, memory gib 32, "
        "kernel 6.1",
    ]


def test_one_name_for_two_processors_is_refused_with_what_differs() -> None:
    """A name may stay when a machine was updated, but neither CPU nor GPU may differ, and no third machine matters."""
    updated = [on(2, measurement(), name="a"), on(3, measurement(), name="a", machine={"cores": 5, "xla_flags": ""})]
    other = on(1, measurement(), name="b", machine={"cpu_model": "Other CPU"})
    nameless = [on(day, measurement(), machine={"gpu": f"G{day}"}) for day in (5, 6)]
    assert len(report_sections.sections([*updated, other, *nameless])) > 0

    for changed, said in (
        ({"cpu_model": "Other"}, "cpu model: Other, not Made-up CPU_7 <2.9 GHz> & Söhne; cores: 7, not 12"),
        ({"gpu": "G1"}, "gpu: G1, not none; cores: 7, not 12"),
    ):
        with pytest.raises(report_sections.RefusedError) as refused:
            report_sections.sections(
                [*updated[:1], other, on(9, measurement(), name="a", machine={"cores": 7, **changed})]
            )
        assert str(refused.value) == f"a name is for one machine. Received: 'a' for two, which differ: {said}"


def test_beyond_four_machines_the_nameless_are_listed_and_those_with_names_reported() -> None:
    """The four that were measured last have parts of their own; the list has name, commits, moment and file of each."""
    found = [on(day, measurement(), machine={"cores": day}) for day in (9, 8, 7, 6, 5, 3)]
    found += [on(2, measurement(), machine={"cores": 5}), on(4, measurement(), name="old", machine={"cores": 1})]
    again = {"machine": {"cores": 3}, "measured": datetime(2026, 3, 3, 11, tzinfo=UTC), "path": "earlier.json"}
    found.append(on(3, native(), **again))
    sections = report_sections.sections(found)
    last = sections[-1]

    assert [section.title for section in sections] == [
        *("Now: cores 9", "Now: cores 8", "Now: cores 7", "Now: cores 6", "Now: old"),
        *("History: cores 9", "History: cores 8", "History: cores 7", "History: cores 6", "History: old"),
        *("CPU against GPU", "Machines", "Earlier machines"),
    ]
    assert last.lines == (
        "Measured longer ago; give them alone, or with a name (NAME=RECORD), and they are reported, too.",
    )
    (table,) = last.tables
    assert table.title == ""
    assert table.headings == ("machine", "commits", "measured last", "newest record")
    assert alignment(table) == ["left"] * 4
    assert table.rows == (
        ("cores 5", "2", "2026-03-05 12:00", "records/5.json"),
        ("cores 3", "1", "2026-03-03 12:00", "records/3.json"),
    )
    assert report_sections.sections(found[:4])[-1].title == "Machines"
