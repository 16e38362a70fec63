"""`tbtrace demo`, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ray import tune

from tbtrace import demo

# By itself it ends after two minutes, which one iteration takes where much else runs.
_PATIENT = """
import functools, sys
from tbtrace import demo
from tbtrace.cli import main
demo.run = functools.partial(demo.run, seconds=900.0)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def demo_run(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    storage = tmp_path_factory.mktemp("demo storage")
    command = [sys.executable, "-c", _PATIENT, "demo", "--storage", str(storage)]
    done = subprocess.run(
        [*command, "--iterations", "2"],
        capture_output=True,
        text=True,
        timeout=1200,
        env={**os.environ, "HOME": str(home)},
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


@pytest.mark.slow  # it trains once more; tests/test_tune.py holds that the parcel is not in it
def test_result_json_grows_by_our_scalars_alone(
    demo_run: tuple[str, Path], ray_session: None, tmp_path: Path
) -> None:
    bare = demo.config(env_runners=0).training(num_epochs=1).callbacks([])
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
