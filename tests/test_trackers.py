"""Other trackers beside TensorBoard: the examples, where the tracker is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
TRACKERS = {"mlflow_local.py": "mlflow", "wandb_offline.py": "wandb"}
"""What each example needs."""


def run(name: str, home: Path) -> str:
    """Returns what two iterations of an example print; skips the test where it cannot run."""
    pytest.importorskip(TRACKERS[name])
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), "2"],
        capture_output=True,
        text=True,
        timeout=600,
        env={
            **os.environ,
            "HOME": str(home),
            "OMP_NUM_THREADS": "1",
            "RAY_TMPDIR": tempfile.gettempdir(),  # a socket's path must be short
            "TMPDIR": str(home),
        },
    )
    assert done.returncode == 0, done.stderr
    assert "TbtraceWarning" not in done.stderr
    return done.stdout


def find(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]


@pytest.mark.slow
def test_mlflow_has_the_scalars_and_the_pictures_at_their_steps(tmp_path: Path) -> None:
    told = run("mlflow_local.py", tmp_path)
    assert list(Path(find(r"tbtrace view (\S+)", told)).glob("events.*"))
    mlflow = pytest.importorskip("mlflow")
    client = mlflow.MlflowClient(find(r"--backend-store-uri (\S+)", told))
    experiment = client.get_experiment_by_name("plant")
    (logged,) = client.search_runs([experiment.experiment_id])
    metric = "env_runners/custom_metrics/throughput_mean"
    assert [each.step for each in client.get_metric_history(logged.info.run_id, metric)] == [1, 2]
    for pick in ("best", "worst", "last"):
        files = client.list_artifacts(logged.info.run_id, f"traces/paths/train/{pick}")
        assert [Path(file.path).name for file in files] == ["000001.png", "000002.png"]


@pytest.mark.slow
def test_wandb_has_the_scalars_and_all_pictures(tmp_path: Path) -> None:
    told = run("wandb_offline.py", tmp_path)
    assert list(Path(find(r"tbtrace view (\S+)", told)).glob("events.*"))
    (folder,) = Path(find(r"wandb sync (\S+)/offline-run-\*", told)).glob("offline-run-*")
    for pick in ("best", "worst", "last"):
        pictures = folder.glob(f"files/media/images/traces/paths/train/{pick}_*.png")
        assert len(list(pictures)) == 2
    (history,) = folder.glob("run-*.wandb")
    assert b"env_runners/custom_metrics/throughput_mean" in history.read_bytes()
