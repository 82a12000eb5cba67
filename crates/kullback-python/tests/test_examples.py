"""The examples on real data run from end to end."""

import pathlib
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).parents[3] / "examples" / "python"


def run(name, tmp_path):
    picture = tmp_path / "picture.svg"
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, picture], capture_output=True, text=True, cwd=tmp_path, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert picture.read_text().count("<path") > 50
    return done.stdout


def test_names_that_lived_the_same_life(tmp_path):
    pytest.importorskip("matplotlib")
    out = run("names.py", tmp_path)
    assert "3,906 names" in out and "Linda (F)     Dianne (F) 0.015" in out


def test_days_that_were_not_as_usual(tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("polars")
    lines = [line for line in run("drift.py", tmp_path).splitlines() if " psi " in line]
    assert len(lines) == 10
    assert lines[0].startswith("DL 2013-02-08  psi 3.68") and "cancelled" in lines[0]
