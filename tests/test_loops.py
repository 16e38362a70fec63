"""Loops without RLlib: each example runs without Ray, and its run is read back."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
from tensorboard_server import serve

import tbtrace

EXAMPLES = Path(__file__).parents[1] / "examples"
PLANT = "throughput_mean", "work_in_progress_avg_max"
LOOPS: dict[str, tuple[list[int], list[str]]] = {
    "cleanrl_style.py": ([1024, 2048], [*PLANT, "losses/value_loss", "charts/SPS"]),
    "hand_written.py": ([1, 2], [*PLANT, "search/step_size"]),
    "pettingzoo_loop.py": ([1, 2], ["uncovered_avg_mean"]),
    "stable_baselines.py": ([1024, 2048], [*PLANT, "rollout/ep_rew_mean", "time/fps"]),
}
"""The steps of each one's first two iterations, and some of its scalars at both of them."""

RUN = """
import runpy, sys
sys.argv[1:] = ["2"]
runpy.run_path({path!r}, run_name="__main__")
print("Ray is here" if "ray" in sys.modules else "no Ray")
"""


@pytest.fixture(scope="module", params=sorted(LOOPS))
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of an example, and the directory of its run: `name|directory`."""
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(path=str(EXAMPLES / request.param))],
        capture_output=True,
        text=True,
        timeout=600,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "TMPDIR": str(tmp_path_factory.mktemp("loop")),
        },
    )
    assert done.returncode == 0, done.stderr
    assert "TbtraceWarning" not in done.stderr
    assert "no Ray" in done.stdout.splitlines()
    named = re.search(r"tbtrace view (\S+)", done.stdout)
    assert named is not None
    return f"{request.param}|{named[1]}"


def test_a_loop_has_scalars_histograms_pictures_and_an_archive(example: str) -> None:
    name, _, logdir = example.partition("|")
    steps, scalars = LOOPS[name]
    assert len(list(Path(logdir).glob("events.*"))) == 1  # two would freeze TensorBoard
    events = EventAccumulator(logdir, size_guidance={"tensors": 0, "scalars": 0})
    events.Reload()
    for scalar in ("env_runners/episode_return_mean", *scalars):
        tag = scalar if "/" in scalar else f"env_runners/custom_metrics/{scalar}"
        assert [event.step for event in events.Scalars(tag)] == steps
    episodes = list(tbtrace.open_archive(logdir).episodes(split="train"))
    assert sorted({episode.iteration for episode in episodes}) == steps
    last = [episode for episode in episodes if episode.iteration == steps[-1]]
    for quantity in last[0].running:
        event = events.Tensors(f"env_runners/hist_stats/{quantity}")[-1]
        count = tensor_util.make_ndarray(event.tensor_proto)[:, 2].sum()
        assert count == sum(episode.running[quantity].values.size for episode in last)
    returns = events.Scalars("env_runners/episode_return_mean")[-1].value
    assert returns == pytest.approx(sum(e.episode_return for e in last) / len(last))
    for pick in ("best", "worst", "last"):
        shown = events.Tensors(f"traces/paths/train/{pick}")
        assert [event.step for event in shown] == steps
        assert shown[0].tensor_proto.string_val[2].startswith(b"\x89PNG")


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "slow"])
def test_tensorboard_shows_the_frameworks_values_beside_ours(example: str, fast: bool) -> None:
    name, _, logdir = example.partition("|")
    steps, scalars = LOOPS[name]
    with serve(logdir, fast=fast) as board:
        tag = "traces/paths/train/best"
        board.wait_for(lambda: len(board.images(".", tag)) == 2)
        assert [step for step, *_ in board.images(".", tag)] == steps
        theirs = scalars[-1] if "/" in scalars[-1] else "env_runners/episode_len_mean"
        assert [step for step, _ in board.scalars(".", theirs)] == steps
        ours = board.scalars(".", "env_runners/episode_return_mean")
        assert [step for step, _ in ours] == steps


def test_what_the_search_evaluates_stands_apart(example: str) -> None:
    name, _, logdir = example.partition("|")
    evaluated = list(tbtrace.open_archive(logdir).episodes(split="evaluation"))
    assert len(evaluated) == (2 if name == "hand_written.py" else 0)
