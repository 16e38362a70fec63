"""Calls of every kind: help, wrong ones, ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tbtrace
from tbtrace.cli import console, parser


def test_version_and_help(call: Any, spawn: Any) -> None:
    assert spawn("--version").stdout == f"tbtrace {tbtrace.__version__}\n"
    told = call("--help").stdout
    for command in ("demo", "view", "ls", "render", "export", "doctor"):
        assert f"tbtrace {command}" in told  # an example of each


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "required"),
        (("dance",), "invalid choice"),
        (("view", "no/such/place"), "no/such/place is no directory"),
        (("view",), "no experiment"),
        (("demo", "--iterations", "0"), "0 is not at least 1"),
        (("ls", "no/such/place"), "no/such/place is no directory"),
        (("ls", "nowhere://bucket/run"), "nowhere://bucket/run cannot be opened"),
        (("ls", "RUN", "--iteration", "x"), "'x' is not N, A:B or last"),
        (("ls", "RUN", "--iteration", "5:3"), "'5:3' ends before it begins"),
        (("ls", "RUN", "--limit", "x"), "'x' is no whole number"),
        (("ls", "RUN", "--run", "nobody"), "no run is named nobody; there are ."),
        (("render", "RUN", "--view", "pths", "--out", "a.png"), "there is no view 'pths'; there"),
        (("render", "RUN", "--view", "paths", "--out", "a.jpg"), "give a .png, .apng, .gif"),
        (("render", "RUN", "--view", "paths", "--out", "no/a.png"), "there is no folder no"),
        (("render", "RUN", "--view", "paths", "--pick", "bst", "--out", "a.png"), "known are best"),
        (
            ("render", "RUN", "--view", "paths", "--option", "colr=red", "--out", "a.png"),
            "Paths has no option 'colr'; it has name (str), size (int,int), group (str or none)",
        ),
        (
            ("render", "RUN", "--view", "paths", "--option", "size=big", "--out", "a.png"),
            "--option size=big: Paths takes int,int there",
        ),
        (
            ("render", "RUN", "--view", "paths", "--option", "size=9x9", "--out", "a.png"),
            "size=(9, 9): give (width, height) of at least",
        ),
        (
            ("render", "RUN", "--view", "paths", "--iteration", ":", "--out", "a.png"),
            "a.png takes one picture",
        ),
        (("render", "RUN", "--view", "no.py:View", "--out", "a.png"), "no.py is no Python file"),
        (("export", "RUN", "--format", "npz", "--out", "-"), "needs --out FILE"),
        (("export", "RUN", "--format", "csv", "--out", "no/a.csv"), "in a folder that is there"),
        (("view", ".", "--host", "256.0.0.1", "--no-browser"), "--host 256.0.0.1: "),
        (("view", ".", "--port", "70000", "--no-browser"), "--port 70000 is beyond 65535"),
        (("doctor", "no/such/place"), "no/such/place is no directory"),
    ],
)
def test_wrong_calls_get_one_line_and_exit_code_2(
    call: Any, plant_run: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    given = [plant_run if each == "RUN" else each for each in arguments]
    done = call(*given, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_an_archive_fails(call: Any, tmp_path: Path) -> None:
    done = call("ls", tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"tbtrace: there is no archive (traces/*.parquet) below {tmp_path}\n"


def test_a_broken_pipe_is_quiet(plant_run: Path) -> None:
    command = [sys.executable, "-m", "tbtrace", "export", str(plant_run)]
    command += ["--format", "csv", "--out", "-"]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stderr is not None
    writer.stdout.readline()
    writer.stdout.close()
    assert writer.stderr.read() == b""
    assert writer.wait(timeout=60) == 141


def test_ctrl_c_is_quiet(plant_run: Path, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import time\ndef draw(episode):\n    print('drawing', flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-m", "tbtrace", "render", str(plant_run), "--view", "figure"]
    command += ["--option", "function=slow.py:draw", "--out", "a.png"]
    drawing = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    assert drawing.stdout is not None
    drawing.stdout.readline()
    drawing.send_signal(signal.SIGINT)
    _, said = drawing.communicate(timeout=60)
    assert (drawing.returncode, said) == (130, b"")
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("ls", "RUN"),
        ("render", "RUN", "--view", "paths", "--out", "a.png"),
        ("export", "RUN", "--format", "csv", "--out", "-"),
        ("doctor", "RUN"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_command_but_the_demo_loads_ray(
    plant_run: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    given = [str(plant_run) if each == "RUN" else each for each in arguments]
    code = f"import sys\nfrom tbtrace.cli import main\nassert main({given!r}) == 0\n"
    code += "assert not {'ray', 'torch', 'tensorboardX'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()


def test_iterations() -> None:
    parse = parser.parser().parse_args
    for text, first, last in (("3", 3, 3), ("3:5", 3, 5), (":5", 0, 5)):
        wanted = parse(["ls", "x", "--iteration", text]).iteration
        assert (wanted[0], wanted[-1]) == (first, last)
    assert 10**9 in parse(["ls", "x", "--iteration", "3:"]).iteration


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_json({"a": [float("nan"), 1.0, (float("inf"),)]})
    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.0, [None]]}


def test_a_module_that_cannot_be_loaded_is_one_line(call: Any, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def (:\n")
    done = call("replay", ".", "--logdir", "run", "--extract", "broken:say", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("tbtrace: --extract broken:say: SyntaxError: ")
    assert done.stderr.count("\n") == 1
