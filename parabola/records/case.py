"""A case: the one identity that the suite, its records, histories and speed-ups share, and its names."""

import re
from collections import Counter
from collections.abc import Iterable

import msgspec

PUBLISHED_SAMPLES = 999  # a name says how many samples a case has only where it has another number
DECAYING = "recommended"  # what names call the one setting whose learning rate decays
SIZES = {"epoch time": "batch_size", "members": "members"}  # by kind: the axis along which times make a line


def short_name(name: str) -> str:
    """Return a benchmark's full name without its file."""
    function, bracket, parameters = name.partition("[")
    return function.split("::")[-1] + bracket + parameters


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return each benchmark's full name, cut to what tells it from the others: classes, files, folders only if needed.

    Args:
        names: the full names of all benchmarks that are shown together, as "a/b.py::TestA::test_run[x]".
    """
    kept = dict.fromkeys(names, 1)  # how many parts of a name are shown, from its end
    while True:
        shown = {name: "".join(_parts(name)[-parts:]) for name, parts in kept.items()}
        times = Counter(shown.values())
        alike = [name for name, short in shown.items() if times[short] > 1]
        if not alike:
            return shown
        for name in alike:
            kept[name] += 1


def _parts(name: str) -> list[str]:
    """Return the folders, file, classes and function of a full name, each but the last with what parts it."""
    function, bracket, parameters = name.partition("[")
    *outer, last = re.findall(r".*?(?:::|/)|.+", function) or [""]
    return [*outer, last + bracket + parameters]


def written(learning_rate: float) -> str:
    """Return a learning rate in six digits, or in as many as tell it from every other where six are another one."""
    short = f"{learning_rate:g}"
    return short if float(short) == learning_rate else repr(learning_rate)


class Setting(msgspec.Struct, frozen=True, order=True, gc=False):
    """What is the same for all engines and devices that are held against each other; tables go by it."""

    samples: int
    learning_rate: float
    batch_size: int


class Axes(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What tells the cases of one kind apart.

    Attributes:
        engine: name of the engine; empty for an id that does not name it.
        device: name of the device, as "cpu" or "gpu:0".
        batch_size, learning_rate, samples: as an Experiment has them; None where the kind does not have them.
        members: number of runs that are trained together; None where a single one is.
        final_learning_rate: where the learning rate ends; None where it does not decay.
    """

    engine: str
    device: str
    batch_size: int | None = None
    learning_rate: float | None = None
    samples: int | None = None
    members: int | None = None
    final_learning_rate: float | None = None

    @property
    def id(self) -> str:
        """The name that pytest shows between brackets, and that histories hang on: axes in a fixed order."""
        parts = [self.engine, self.device]
        parts += [] if self.members is None else [f"members_{self.members}"]
        parts += [] if self.batch_size is None else [f"batch_{self.batch_size}"]
        parts += [] if self.learning_rate is None else [f"learning_rate_{written(self.learning_rate)}"]
        parts += [] if self.samples in (None, PUBLISHED_SAMPLES) else [f"samples_{self.samples}"]
        return "-".join(part for part in parts if part)

    @property
    def setting(self) -> Setting:
        """Samples, learning rate and batch size; 0 for what the kind does not have."""
        return Setting(self.samples or 0, self.learning_rate or 0.0, self.batch_size or 0)


class Case(Axes, frozen=True):
    """A case of a record.

    Attributes:
        name: full name of the benchmark, as pytest has it.
        kind: what was measured, as "epoch time".
        epochs: number of epochs of a round, where it was asked for, which makes another case; None where the suite
            chose it.
    """

    name: str
    kind: str
    epochs: int | None

    @property
    def key(self) -> tuple[str, int]:
        """What a history hangs on: the name, and the epochs that were asked for (0 for none), in sorting order."""
        return self.name, self.epochs or 0

    @property
    def parameters(self) -> str:
        """What stands between the brackets of the name; the short name where there are none."""
        return self.name.partition("[")[2].removesuffix("]") or short_name(self.name)

    @property
    def words(self) -> str:
        """The axes in words; the parameters as pytest has them where these say more than axes do.

        The words follow from the case alone, whatever else is measured, so that other tools can go by them.
        """
        return (", ".join(self._axes()) if self._named_by_axes() else self.parameters) + self._rounds()

    @property
    def words_on_any_device(self) -> str:
        """The words without the device."""
        axes = [axis for axis in self._axes() if axis != self.device]
        return (", ".join(axes) if self._named_by_axes() else self.parameters) + self._rounds()

    @property
    def label(self) -> str:
        """The name in a table that has several kinds: the kind and the words, or else the short name."""
        return f"{self.kind}: {self.words}" if self._named_by_axes() else short_name(self.name) + self._rounds()

    def _axes(self) -> list[str]:
        """Return the axes that the case has in words, in a fixed order."""
        of_batch, of_rate = self.batch_size is not None, self.learning_rate is not None
        decay = "" if self.final_learning_rate is None else f" to {written(self.final_learning_rate)}"
        axes = {
            self.engine: bool(self.engine),
            self.device: bool(self.device),
            f"{self.members} member{'' if self.members == 1 else 's'}": self.members is not None,
            f"batch {self.batch_size}": of_batch,
            f"learning rate {written(self.learning_rate or 0.0)}{decay}": of_rate,
            f"{self.samples:,} samples" if self.samples else "": self.samples not in (None, PUBLISHED_SAMPLES),
        }
        return [axis for axis, is_there in axes.items() if is_there]

    def _named_by_axes(self) -> bool:
        """Whether the parameters say nothing but axes, each with or without its name before it."""
        rest = self.name.partition("[")[2].removesuffix("]")
        if not (rest and self.engine):
            return False
        numbers = {"members": self.members, "batch": self.batch_size, "samples": self.samples}
        known = [
            self.engine,
            self.device,
            *(f"{axis}_{number}" for axis, number in numbers.items()),
            str(self.batch_size),
        ]
        if self.learning_rate is not None:
            known += [f"learning_rate_{written(self.learning_rate)}", written(self.learning_rate)]
        known += [] if self.final_learning_rate is None else [DECAYING]
        for word in sorted(filter(None, known), key=len, reverse=True):
            rest = re.sub(rf"(?:^|(?<=-)){re.escape(word)}(?:-|$)", "", rest, count=1)
        return not rest

    @property
    def on_any_device(self) -> "Case":
        """What is equal for the same case on two devices: neither name nor device."""
        return msgspec.structs.replace(self, name="", device="")

    @property
    def size(self) -> int | None:
        """Where the case lies on a line over sizes; None where its kind has no such line."""
        size: int | None = getattr(self, SIZES[self.kind]) if self.kind in SIZES else None
        return size

    @property
    def line(self) -> tuple[str, str, str]:
        """The line over sizes that the case belongs to, whatever its device: kind, engine, and all else in words."""
        batch_size = f", batch size {self.batch_size}" if self.kind == "members" else ""
        setting = f"{self.samples} samples, learning rate {written(self.setting.learning_rate)}"
        return self.kind, self.engine, f"{setting}{batch_size}{self._rounds()}"

    def _rounds(self) -> str:
        return f", {self.epochs} epochs a round" if self.epochs else ""


def case_of(axes: Axes, name: str, kind: str, epochs: int | None) -> Case:
    """Return the case that has such axes.

    Args:
        axes: the axes, or an object that has more fields besides.
        name, kind, epochs: as a Case has them.
    """
    return Case(name, kind, epochs, **{axis: getattr(axes, axis) for axis in Axes.__struct_fields__})
