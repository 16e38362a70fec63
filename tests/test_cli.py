"""The command line, in processes of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from ray import tune

import tbtrace
from tbtrace import cli, demo

PICTURES = 15  # more than TensorBoard keeps of its own accord


def tbtrace_command(
    *arguments: str, timeout: float = 60.0, home: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"HOME": str(home)} if home else {})}
    return subprocess.run(
        [sys.executable, "-m", "tbtrace", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment,
    )


def test_version_and_help() -> None:
    assert tbtrace_command("--version").stdout == f"tbtrace {tbtrace.__version__}\n"
    told = tbtrace_command("--help").stdout
    assert "demo" in told
    assert "view" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("view", "no/such/place"), "no/such/place is no directory"),
        (("view",), "no experiment"),
        (("demo", "--iterations", "0"), "0 is not at least 1"),
        (("dance",), "invalid choice"),
        ((), "required"),
    ],
)
def test_wrong_calls_get_one_line_and_exit_code_2(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = tbtrace_command(*arguments, home=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_newest_experiment_is_the_default(tmp_path: Path) -> None:
    for index, name in enumerate(("b", "c", "a")):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (index, index))
    (tmp_path / "file").touch()
    assert cli._newest_experiment(tmp_path) == tmp_path / "a"
    assert cli._newest_experiment(tmp_path / "none") is None


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        try:
            taken6006 = socket.create_server(("127.0.0.1", 6006))
        except OSError:
            taken6006 = None  # somebody else has it, which serves as well
        assert cli._free_port("127.0.0.1") not in (6006, taken.getsockname()[1])
        if taken6006 is not None:
            taken6006.close()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of more pictures than TensorBoard keeps."""
    reporter = tbtrace.RunReporter(tmp_path / "run")
    steps = np.arange(3, dtype=np.int32)
    for step in range(1, PICTURES + 1):
        trace = tbtrace.Trace(steps, np.array([(0.0, 0.0), (step, 1.0), (9.0, step)]))
        episode = tbtrace.Episode("a", 3, 1.0, traces={"cars": {"a": trace}}, iteration=step)
        reporter.report(step, {"loss": 1.0 / step}, [episode])
        reporter.flush()
    reporter.close()
    return tmp_path / "run"


def test_view_serves_every_picture_and_ends_on_ctrl_c(run: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tbtrace", "view", str(run), "--host", "127.0.0.1"]
    viewer = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert viewer.stdout is not None
        assert f"http://127.0.0.1:{port}/" in viewer.stdout.readline()
        url = f"http://127.0.0.1:{port}/data/plugin/images/images"
        url += "?run=.&tag=traces/paths/train/best&sample=0"
        deadline = time.monotonic() + 60
        pictures: list[object] = []
        while len(pictures) < PICTURES and time.monotonic() < deadline:
            time.sleep(0.3)
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    pictures = json.load(answer)
            except OSError:
                continue
        assert len(pictures) == PICTURES
    finally:
        # What a terminal does on Ctrl-C: the whole process group is told.
        os.killpg(viewer.pid, signal.SIGINT)
        assert viewer.wait(timeout=20) == 0


@pytest.fixture(scope="module")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    storage = tmp_path_factory.mktemp("demo storage")
    done = tbtrace_command(
        "demo", "--storage", str(storage), "--iterations", "2", timeout=180, home=storage
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, storage


def test_the_demo_says_what_was_learned_and_where_to_look(demo_run: tuple[str, Path]) -> None:
    said, storage = demo_run
    trials = [path.parent for path in storage.rglob("result.json")]
    assert len(trials) == 1
    assert f"\n  {trials[0]}\n" in said
    assert f"view '{trials[0]}'" in said  # quoted: the path has a space
    assert re.search(r"iteration +1 \( *\d+ s\): +\d+ articles an hour", said)
    table = said[said.index("policy  ") :].splitlines()[1:4]
    assert [line.split("  ")[0] for line in table] == [
        "random policy",
        "PPO, iteration 1",
        "PPO, iteration 2",
    ]
    assert list(trials[0].glob("events.out.tfevents.*"))


def test_result_json_grows_by_our_scalars_alone(
    demo_run: tuple[str, Path], ray_session: None, tmp_path: Path
) -> None:
    bare = demo.config().callbacks([])
    tuner = tune.Tuner(
        "PPO",
        param_space=bare,
        run_config=tune.RunConfig(
            storage_path=str(tmp_path), stop={"training_iteration": 2}, verbose=0
        ),
    )
    without = Path(tuner.fit()[0].path, "result.json").read_text().splitlines()
    (ours,) = demo_run[1].rglob("result.json")
    for line, bare_line in zip(ours.read_text().splitlines(), without, strict=True):
        result = json.loads(line)
        own = {"tbtrace": result.pop("tbtrace")}
        own["train"] = result["env_runners"].pop("custom_metrics")
        evaluation = result["evaluation"]["env_runners"]
        own["evaluation"] = evaluation.pop("custom_metrics")
        if not evaluation:  # there was no evaluation in this iteration
            del result["evaluation"]
        assert all(isinstance(value, float) for value in own["train"].values())
        assert own["evaluation"].keys() == own["train"].keys()
        assert result.keys() == json.loads(bare_line).keys()
        assert len(json.dumps(result)) <= 1.02 * len(json.dumps(json.loads(bare_line)))
