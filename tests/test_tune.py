"""Real Tune runs, read back from their files."""

from __future__ import annotations

import functools
import io
import json
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brute_force import assert_equal, expected_metrics
from PIL import Image
from ray import tune
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.tune.logger import TBXLoggerCallback
from scripted import MARK, Witness, config, emitted, witnessed
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util
from tensorboard_server import Board, serve

import tbtrace

pytestmark = pytest.mark.filterwarnings("ignore:ray/tune/extras/positions")

ITERATIONS = 6
PICKS = ("best", "worst", "last")
Recorder = functools.partial(tbtrace.EpisodeRecorder, strict=True)


class Extras(RLlibCallback):
    """Puts values of every kind that Ray's own logger writes into the result."""

    def on_train_result(self, *, result: dict[str, Any], **kwargs: Any) -> None:
        number = result["training_iteration"]
        result["extras"] = {
            "int": number,
            "float32": np.float32(0.5),
            "int64": np.int64(7),
            "true": True,
            "nan": math.nan,
            "list": [1.0, 2.0, float(number)],
            "array": np.arange(12.0).reshape(3, 4),
            "picture": np.full((3, 20, 30), 99, np.uint8),
            "pictures": np.full((2, 3, 20, 30), 99, np.uint8),
            "text": "hello",
            # Ray drops these.
            "numpy_true": np.bool_(True),
            "int8": np.int8(-3),
            # Ray dies of these.
            "positions": np.zeros((20, 10, 2)),
            "channels_last": np.full((20, 30, 3), 99, np.uint8),
        }


class RaysOwn(TBXLoggerCallback):
    """Ray's logger, in a folder of its own, without what it would raise at."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def log_trial_start(self, trial: Any) -> None:
        self._trial_writer[trial] = self._summary_writer_cls(str(self._folder), flush_secs=30)
        self._trial_result[trial] = {}

    def log_trial_result(self, iteration: int, trial: Any, result: dict[str, Any]) -> None:
        extras = {
            name: value
            for name, value in result["extras"].items()
            if name not in ("positions", "channels_last")
        }
        super().log_trial_result(iteration, trial, {**result, "extras": extras})


class Run:
    """A finished run and its files."""

    def __init__(self, folder: Path, batch_mode: str, *extra: Any, **options: Any) -> None:
        self.log = folder / "log"
        self.log.mkdir()
        self.theirs = folder / "theirs"
        parameters = config(self.log, [Recorder, Witness, *extra], **options)
        parameters.env_runners(batch_mode=batch_mode)
        parameters.training(lr=tune.grid_search([1e-4]))
        callbacks: list[Any] = [tbtrace.TraceLoggerCallback()]
        if Extras in extra:
            callbacks.append(RaysOwn(self.theirs))
        tuner = tune.Tuner(
            "PPO",
            param_space=parameters,
            run_config=tune.RunConfig(
                name="run",
                storage_path=str(folder / "storage"),
                stop={"training_iteration": ITERATIONS},
                verbose=0,
                callbacks=callbacks,
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=2),
            ),
        )
        grid = tuner.fit()
        assert not grid.errors
        self.path = Path(grid[0].path)
        self.results = [
            json.loads(line) for line in (self.path / "result.json").read_text().splitlines()
        ]
        self.emitted = emitted(self.log)

    def events(self, folder: Path | None = None) -> EventAccumulator:
        everything = {"tensors": 0, "images": 0, "scalars": 0, "histograms": 0}
        events = EventAccumulator(str(folder or self.path), size_guidance=everything)
        events.Reload()
        return events

    def counted(self) -> Iterator[tuple[dict[str, Any], list[Any], list[Any]]]:
        """Yields each result, and what RLlib says ended in it: train, evaluation."""
        seen: set[int] = set()
        for result in self.results:
            train = [self.emitted[key] for key in witnessed(result["env_runners"])]
            evaluation = []
            for key in witnessed(result["evaluation"]["env_runners"]):
                # RLlib shows the same evaluation again in the iteration after it.
                if key not in seen:
                    evaluation.append(self.emitted[key])
                seen.add(key)
            yield result, train, evaluation


def pixels(png: bytes) -> bytes:
    with Image.open(io.BytesIO(png)) as picture:
        return picture.convert("RGB").tobytes()


@pytest.fixture(scope="module")
def run(ray_session: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("truncate"), "truncate_episodes", Extras)


@pytest.fixture(scope="module")
def run_complete(ray_session: None, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("complete"), "complete_episodes", recipe=True)


@pytest.fixture(scope="module", params=[True, False], ids=["fast", "slow"])
def board(run: Run, request: pytest.FixtureRequest) -> Iterator[Board]:
    with serve(run.path, fast=request.param) as board:
        # The views draw in this order: what comes last is there, so all is.
        last = "traces/paths/evaluation/last"
        board.wait_for(lambda: board.images(board.runs()[0], last)[-1][0] == ITERATIONS)
        yield board


@pytest.mark.parametrize("which", ["run", "run_complete"])
def test_every_statistic_equals_the_brute_force(which: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(which)
    trained = evaluated = 0
    for result, train, evaluation in run.counted():
        assert_equal(result["env_runners"]["custom_metrics"], expected_metrics(train))
        assert_equal(
            result["evaluation"]["env_runners"]["custom_metrics"], expected_metrics(evaluation)
        )
        assert {episode["split"] for episode in train} <= {"train"}
        assert {episode["split"] for episode in evaluation} <= {"evaluation"}
        trained, evaluated = trained + len(train), evaluated + len(evaluation)
    assert trained > 10
    assert evaluated >= 3 * 4


@pytest.mark.parametrize("which", ["run", "run_complete"])
def test_rllib_counts_the_same_episodes(which: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(which)
    for result, train, _ in run.counted():
        assert result["env_runners"]["num_episodes"] == len(train)


@pytest.mark.parametrize("which", ["run", "run_complete"])
def test_names_are_in_every_result_from_the_first_step_on(
    which: str, request: pytest.FixtureRequest
) -> None:
    for result in request.getfixturevalue(which).results:
        for metrics in (result["env_runners"], result["evaluation"]["env_runners"]):
            for name in ("speed_avg_mean", "energy/grid_sum_max", "seldom_avg_min"):
                assert name in metrics["custom_metrics"]


def test_counters_are_in_every_result_and_only_grow(run: Run) -> None:
    before = -1
    for result in run.results:
        dropped = result["tbtrace"]["dropped"]
        # The positions that Ray's own logger would die of are named and counted once a result.
        assert before <= dropped["values"] < result["training_iteration"]
        before = dropped.pop("values")
        assert dropped == dict.fromkeys(("points", "episodes", "pictures", "records"), 0)
        assert result["tbtrace"]["aborted"] >= 0
        assert result["tbtrace"]["uncounted"] >= 0
    assert before > 0


def test_histograms_count_every_value(run: Run) -> None:
    events = run.events()
    for prefix, position in (("ray/tune/env_runners", 1), ("ray/tune/evaluation/env_runners", 2)):
        for name in ("speed", "energy/grid", "seldom"):
            told = {
                event.step: tensor_util.make_ndarray(event.tensor_proto)
                for event in events.Tensors(f"{prefix}/hist_stats/{name}")
            }
            for counted in run.counted():
                values = [v for episode in counted[position] for v in episode["running"][name]]
                step = counted[0]["training_iteration"]
                if not values:
                    assert step not in told
                    continue
                assert told[step][:, 2].sum() == len(values)
                assert told[step][0, 0] == pytest.approx(min(values), abs=0.6)
                assert told[step][-1, 1] == pytest.approx(max(values), abs=0.6)


def test_one_event_file_at_the_steps_of_tunes_metrics(run: Run) -> None:
    assert len(list(run.path.glob("events.out.tfevents.*"))) == 1
    events = run.events()
    for tag in events.Tags()["scalars"]:
        steps = [event.step for event in events.Scalars(tag)]
        assert steps == sorted(set(steps)), tag


def test_nothing_of_the_traces_outside_the_event_file_and_the_archive(run: Run) -> None:
    raw = struct.pack("<d", MARK)
    holders = set()
    experiment = run.path.parent
    for file in experiment.rglob("*"):
        if file.is_file() and file.parent.name != "traces":
            held = file.read_bytes()
            if raw in held or raw.hex().encode() in held or str(MARK).encode() in held:
                holders.add(file.name)
            if b"tbtrace.episode" in held or b"tbtrace.episode".hex().encode() in held:
                holders.add(file.name)
    assert holders == set()
    assert len(list(experiment.rglob("algorithm_state*"))) >= 2
    assert len(list(experiment.glob("experiment_state*"))) == 1


def test_the_payload_is_in_no_result(run: Run) -> None:
    for result in run.results:
        assert "tbtrace_parcel" not in result
        assert "tbtrace" not in result["env_runners"]
        assert "tbtrace" not in result["evaluation"]["env_runners"]
    header = (run.path / "progress.csv").read_text().splitlines()[0]
    assert "parcel" not in header
    assert "env_runners/custom_metrics/speed_avg_mean" in header


def test_everything_that_rays_own_logger_writes_is_there(run: Run) -> None:
    ours, theirs = run.events(), run.events(run.theirs)
    their_tags, our_tags = theirs.Tags(), ours.Tags()
    assert len(their_tags["scalars"]) > 50
    for tag in their_tags["scalars"]:
        expected = [(event.step, event.value) for event in theirs.Scalars(tag)]
        assert [(event.step, event.value) for event in ours.Scalars(tag)] == expected, tag
    assert "ray/tune/extras/list" in their_tags["histograms"]
    for tag in their_tags["histograms"]:
        told = {
            event.step: tensor_util.make_ndarray(event.tensor_proto) for event in ours.Tensors(tag)
        }
        for event in theirs.Histograms(tag):
            assert told[event.step][:, 2].sum() == event.histogram_value.num, tag
    assert "ray/tune/extras/picture" in their_tags["images"]
    for tag in their_tags["images"]:
        expected = [(e.step, pixels(e.encoded_image_string)) for e in theirs.Images(tag)]
        told = [(e.step, pixels(e.tensor_proto.string_val[2])) for e in ours.Tensors(tag)]
        assert told == expected, tag
    assert set(their_tags["tensors"]) <= set(our_tags["tensors"])


def test_hyper_parameters_are_those_of_rays_own_logger(run: Run) -> None:
    ours, theirs = run.events(), run.events(run.theirs)
    plugin = "hparams"
    expected = theirs.PluginTagToContent(plugin)
    told = ours.PluginTagToContent(plugin)
    assert set(expected) == set(told)
    assert len(expected) == 3
    assert b"lr" in b"".join(bytes(content) for content in told.values())


def test_what_rays_own_logger_drops_or_dies_of(run: Run) -> None:
    events = run.events()
    assert [event.value for event in events.Scalars("ray/tune/extras/numpy_true")] == [1.0] * 6
    assert [event.value for event in events.Scalars("ray/tune/extras/int8")] == [-3.0] * 6
    assert len(events.Tensors("ray/tune/extras/channels_last")) == ITERATIONS
    tags = events.Tags()
    for kind in ("scalars", "histograms", "images", "tensors"):
        assert "ray/tune/extras/positions" not in tags[kind]


def test_scalars_over_http(run: Run, board: Board) -> None:
    name = next(iter(board.runs()))
    tag = "ray/tune/env_runners/custom_metrics/speed_avg_mean"
    expected = {
        result["training_iteration"]: result["env_runners"]["custom_metrics"]["speed_avg_mean"]
        for result in run.results
    }
    told = dict(board.scalars(name, tag))
    for step, value in expected.items():
        if math.isnan(value):
            assert step not in told
        else:
            assert told[step] == pytest.approx(value, rel=1e-6)
    evaluation = board.scalars(name, "ray/tune/evaluation/env_runners/custom_metrics/shipped_max")
    assert [step for step, _ in evaluation] == [2, 4, 6]


def test_histograms_over_http(run: Run, board: Board) -> None:
    name = next(iter(board.runs()))
    steps = [result["training_iteration"] for result, train, _ in run.counted() if train]
    told = board.histograms(name, "ray/tune/env_runners/hist_stats/speed")
    assert [step for step, _ in told] == steps
    evaluation = board.histograms(name, "ray/tune/evaluation/env_runners/hist_stats/shipped")
    assert [step for step, _ in evaluation] == [2, 4, 6]


@pytest.mark.parametrize("pick", PICKS)
def test_pictures_over_http(run: Run, board: Board, pick: str) -> None:
    name = next(iter(board.runs()))
    train = [result["training_iteration"] for result, train, _ in run.counted() if train]
    for split, steps in (("train", train), ("evaluation", [2, 4, 6])):
        pictures = board.images(name, f"traces/paths/{split}/{pick}")
        assert [step for step, _, _ in pictures] == steps
        for _, png, content_type in pictures:
            assert content_type == "image/png"
            with Image.open(io.BytesIO(png)) as picture:
                assert picture.size == (640, 480)
                assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 8


def test_asha_watches_a_metric_of_episodes_longer_than_an_iteration(
    ray_session: None, tmp_path: Path
) -> None:
    parameters = config(tmp_path, [Recorder], env_runners=0, length=(250, 250))
    parameters.evaluation(evaluation_interval=None)
    parameters.training(lr=tune.grid_search([1e-4, 1e-3]))
    watched = "env_runners/custom_metrics/speed_avg_mean"
    tuner = tune.Tuner(
        "PPO",
        param_space=parameters,
        tune_config=tune.TuneConfig(
            metric=watched,
            mode="max",
            scheduler=tune.schedulers.ASHAScheduler(grace_period=1, max_t=5, reduction_factor=2),
        ),
        run_config=tune.RunConfig(
            storage_path=str(tmp_path / "storage"),
            stop={"training_iteration": 5},
            verbose=0,
            callbacks=[tbtrace.TraceLoggerCallback()],
        ),
    )
    grid = tuner.fit()
    assert not grid.errors
    assert len(grid) == 2
    lines = [
        line
        for result in grid
        for line in Path(result.path, "result.json").read_text().splitlines()
    ]
    values = [json.loads(line)["env_runners"]["custom_metrics"]["speed_avg_mean"] for line in lines]
    assert math.isnan(values[0])
    assert any(math.isfinite(value) for value in values)
