"""TF_CONFIG: who the other processes of a cluster of TensorFlow's are, as TensorFlow documents it."""

import json
import os


def index_here() -> int | None:
    """Return the number of this process among a cluster's workers, from 0, as TF_CONFIG has it.

    Returns:
        None where TF_CONFIG is not set.

    Raises:
        ValueError: if TF_CONFIG is not what a cluster of workers needs; the message has all of it.
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return None
    try:
        known = json.loads(text)
        index, workers, roles = int(known["task"]["index"]), known["cluster"]["worker"], [*known["cluster"]]
        if not 0 <= index < len(workers) or (known["task"]["type"], roles) != ("worker", ["worker"]):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        asked = 'JSON of a cluster, whose one role is "worker", and a task of type "worker" with an index into it'
        raise ValueError(f"TF_CONFIG needs {asked}. Received: {text}") from None
    return index
