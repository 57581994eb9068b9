"""What the command `train` prints about a run."""

from collections.abc import Mapping
from typing import Any

from parabola.display.console import Terminal
from parabola.display.tables import for_terminal, table_of


def verdict_line(run: Mapping[str, Any]) -> str:
    """Say in one line what became of a run.

    Args:
        run: the run as Fit.summary() returns it.
    """
    if run["diverged_epoch"] is not None:
        return f"diverged: a weight was NaN or infinite after epoch {run['diverged_epoch']}"
    error, learning_rate = run["coefficient_error"], run["smallest_learning_rate"]
    sign = "<" if error < learning_rate else "≥"
    return f"{run['verdict']}: coefficient error {error:.3g} {sign} learning rate {learning_rate:g}"


def print_training(run: Mapping[str, Any]) -> None:
    """Print the learnt parabola beside the true one, and the verdict and the times below.

    Args:
        run: the run as Fit.summary() returns it.
    """
    console = Terminal(highlight=False, soft_wrap=True)
    last = run["smallest_learning_rate"]
    decaying = f" decaying to {last:g}" if last < run["learning_rate"] else ""
    init = f"init {run['init']}, " if run["init"] != "glorot" else ""
    backend = "" if run["backend"] == "tensorflow" else f", {run['backend']}"
    console.print(
        f"{run['network']}, {run['engine']} on {run['device']}{backend}: "
        f"{run['epochs']} epochs of {run['samples']} samples, batch size {run['batch_size']}, "
        f"learning rate {run['learning_rate']:g}{decaying}, {init}seed {run['seed']}\n"
    )
    if run["coefficients"] is not None:
        rows = [
            {"": name, "true": f"{true:g}", "learnt": f"{learnt:.7g}", "error": f"{abs(learnt - true):.1e}"}
            for name, true, learnt in zip("abc", run["target"], run["coefficients"], strict=True)
        ]
        console.print(for_terminal(table_of("", rows), box=None, pad_edge=False))
        before = "" if run["diverged_epoch"] is None else f" (after epoch {run['diverged_epoch'] - 1})"
        console.print(f"\ntrue    {run['true']}\nlearnt  {run['learnt']}{before}\n")
    console.print(verdict_line(run), style="green" if run["verdict"] == "pass" else "red")
    per_epoch = run["seconds"] / run["epochs"]
    console.print(f"{run['seconds']:.3g} s, {per_epoch:.2e} s an epoch; {run['compile_seconds']:.2g} s to build before")
