"""What is a GPU worth? Stages, each of which is run once: python -m benchmarks.studies.gpu FOLDER --backend jax."""

import sys

from benchmarks.studies.gpu import needs


def main() -> None:
    """Run the study, once nothing is missing that it imports.

    Raises:
        SystemExit: with 2 and one line, if a package is missing or too old.
    """
    if lacking := needs.lacking(sys.argv[1:]):
        print(f"python -m benchmarks.studies.gpu: {needs.told(lacking)}", file=sys.stderr)
        raise SystemExit(2)
    from benchmarks.studies.gpu import command  # not before: it imports what may be missing

    command.start()


if __name__ == "__main__":
    main()
