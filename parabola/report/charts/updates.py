"""Where the software of a machine changed, in a picture over commits."""

from typing import Any

import altair as alt

from parabola.records.history import History


def update_marks(history: History) -> list[Any]:
    """Return the layer of a picture over commits that marks where the software changed: a dotted rule each.

    Args:
        history: the history that is drawn, its first commit at 1; without a change there is no layer.
    """
    rules = [
        {"commit": update.at + 0.5, "software": update.words, "id": history.commits[update.at].id[:9]}
        for update in history.updates
    ]
    mark = alt.Chart(alt.Data(values=rules)).mark_rule(strokeDash=[1, 4], strokeWidth=2, color="#888888")
    tooltip = ["software:N", alt.Tooltip("id:N", title="from commit")]
    return [mark.encode(x=alt.X("commit:Q"), tooltip=tooltip)] if rules else []
