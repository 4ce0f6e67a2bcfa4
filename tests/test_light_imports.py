"""One sentence does not pay for scikit-learn, pandas or SciPy; `--help` not even for NumPy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"sklearn", "pandas", "scipy", "joblib", "matplotlib", "openpyxl"}


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["predict", "Let me think about it"], HEAVY),
        (["predict", "--json", "Let me think about it"], HEAVY),
        (["--help"], HEAVY | {"numpy"}),
        (["train", "--help"], HEAVY | {"numpy"}),
        (["--version"], HEAVY | {"numpy"}),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_heavy_modules_stay_out(arguments: list[str], unwanted: set[str]) -> None:
    code = (
        "import sys; from classifier.cli import cli\n"
        "try: cli(sys.argv[1:], prog_name='stallcheck')\n"
        "except SystemExit as stop: print(stop.code, file=sys.stderr)\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    code_line, loaded = done.stderr.strip().splitlines()[-2:]
    assert code_line == "0"
    assert not unwanted & set(loaded.split())
