"""python -m parabola, and the installed command: Ctrl-C ends it quietly even while the command line is imported."""

import atexit
import gc
import os
import sys

INTERRUPTED, FILE = 130, 8  # as parabola/exit_codes.py has them, which may not be imported yet


def main() -> None:
    """Run the command line, and exit."""
    gc.set_threshold(50_000, 20, 100)  # imports make no garbage, and the search for it takes a tenth of their time
    atexit.register(leave_memory)
    try:
        from parabola.commands.app import app

        app(prog_name="parabola" if sys.argv[0].endswith("parabola") else "python -m parabola")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:  # of what is printed without a command, as by --version
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python would try again when it ends
        print(f"python -m parabola: the output: {error.strerror}", file=sys.stderr)
        sys.exit(FILE)


def leave_memory() -> None:
    """Let Python search none of the memory that the system takes back at once; Triton would call that a leak."""
    if "triton" not in sys.modules:  # PyTorch brings it
        gc.freeze()


if __name__ == "__main__":
    main()
