"""The clock and power state of the GPUs, as the driver tells it: python -m benchmarks.studies.gpu.device_state."""

import shutil
import subprocess

ASKED = ("nvidia-smi", "-q", "-d", "CLOCK,POWER,PERFORMANCE,TEMPERATURE")
PATIENCE_SECONDS = 60


def state() -> str:
    """Return what nvidia-smi says of all GPUs' clocks, power, throttling and temperature, or why it says nothing."""
    if not shutil.which(ASKED[0]):
        return "nvidia-smi is not there, so nothing is known of a GPU's clocks and power"
    try:
        answer = subprocess.run(ASKED, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"nvidia-smi did not answer within {PATIENCE_SECONDS} s"
    if answer.returncode:
        return f"nvidia-smi failed with exit code {answer.returncode}:\n{answer.stdout}{answer.stderr}"
    return answer.stdout


if __name__ == "__main__":
    print(state())
