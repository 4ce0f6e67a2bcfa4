"""``python -m classifier``: the same as ``stallcheck``."""

from classifier.cli import cli

if __name__ == "__main__":
    cli(prog_name="stallcheck")
