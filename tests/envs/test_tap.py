from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from hypothesis import given
from hypothesis import strategies as st
from infos import SAID_NUMBERS, SETTINGS, Numbers, raw

from tbtrace.envs.tap import Tap
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.info import Contract
from tbtrace.recording import Recording


class Replay(gym.Env[int, int]):
    """Says what it is given, step by step, over and over."""

    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, infos: list[Any], render_mode: str | None = None) -> None:
        self.infos = infos
        self.render_mode = render_mode
        self.recording = False  # as gymnasium's RecordVideo has
        self.at = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, Any]:
        super().reset(seed=seed)
        self.at = 0
        return 0, self.say()

    def step(self, action: int) -> tuple[int, float, bool, bool, Any]:
        self.at += 1
        return 0, 1.0, self.at == len(self.infos) - 1, False, self.say()

    def say(self) -> Any:
        return self.infos[self.at]

    def render(self) -> Any:
        return np.full((2, 2, 3), self.at, np.uint8)


class Reusing(Replay):
    """Says everything through one dict and one array that it changes for ever."""

    def __init__(self, infos: list[Any]) -> None:
        super().__init__(infos)
        self.info: dict[str, Any] = {"tbtrace": {"running": {}, "traces": {}}}
        self.points = np.zeros((2, 2))
        self.point = [0.0, 0.0]

    def say(self) -> Any:
        self.points[:] = self.at
        self.point[:] = [self.at, -self.at]
        said = self.info["tbtrace"]
        said.clear()
        said.update(self.infos[self.at])
        said["traces"] = {"g": self.points, "car": self.point}
        return self.info


def tapped(env: gym.Env[Any, Any], **contract: Any) -> tuple[Tap, Recording]:
    recording = Recording(Contract(**contract), Problems(), strict=True)
    return Tap(env, recording), recording


def play(env: gym.Env[Any, Any]) -> Iterator[dict[str, Any]]:
    """Yields the infos of one episode."""
    _, info = env.reset()
    yield info
    done = False
    while not done:
        _, _, terminated, truncated, info = env.step(0)
        done = terminated or truncated
        yield info


@SETTINGS
@given(said=st.lists(SAID_NUMBERS, min_size=2, max_size=6))
def test_an_environment_may_reuse_one_dict_and_one_array_for_ever(
    said: list[dict[str, Any]],
) -> None:
    env = Reusing([raw(parts) for parts in said])
    tap, recording = tapped(env)
    for number in range(2):
        numbers = Numbers()
        for step, parts in enumerate(said):
            numbers.hear(step, parts)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TbtraceWarning)
            assert list(play(tap)) == [{}] * len(said)
            episode = recording.take(f"uid-{number}")
        assert episode is not None
        numbers.check(episode)
        steps = np.arange(len(said), dtype=np.float64)
        for entity in ("0", "1"):
            points = episode.traces["g"][entity].points
            np.testing.assert_array_equal(points, np.column_stack((steps, steps)))
        car = episode.traces["traces"]["car"].points
        np.testing.assert_array_equal(car, np.column_stack((steps, -steps)))
        assert list(env.info) == ["tbtrace"]


def test_attributes_are_read_from_and_set_on_the_environment() -> None:
    env = Replay([{}])
    tap, _ = tapped(env)
    assert tap.infos is env.infos
    tap.at = 7
    tap.new = "attribute"
    assert (env.at, env.new) == (7, "attribute")  # type: ignore[attr-defined]
    assert not hasattr(tap, "missing")
    with pytest.raises(AttributeError, match="missing"):
        _ = tap.missing


def test_an_attribute_called_recording_is_the_environments() -> None:
    env = Replay([{"tbtrace": {"running": {"v": 1.0}}}] * 2)
    tap, recording = tapped(env)
    assert tap.recording is False
    tap.recording = True
    assert env.recording is True
    list(play(tap))
    assert recording.take("uid") is not None


def test_methods_may_be_replaced_on_the_tap() -> None:
    tap, recording = tapped(Replay([{}] * 3))
    tap.reset()
    tap.step = lambda action: (0, 5.0, True, False, {"tbtrace": {"final": {"w": 1}}})
    Tap.step(tap, 0)
    episode = recording.take("uid")
    assert episode is not None
    assert (episode.episode_return, episode.final) == (5.0, {"w": 1.0})


def test_properties_are_the_environments() -> None:
    env = Replay([{}], render_mode="rgb_array")
    tap, _ = tapped(env)
    assert tap.render_mode == "rgb_array"
    assert tap.unwrapped is env
    assert tap.observation_space is env.observation_space
    assert tap.metadata is env.metadata
    assert tap.spec is None
    tap.reset(seed=3)
    assert tap.np_random is env.np_random
    rendered = tap.render()
    assert rendered is not None
    tap.action_space = gym.spaces.Discrete(5)
    assert env.action_space == tap.action_space == gym.spaces.Discrete(5)


def test_environments_made_by_gymnasium_keep_their_wrappers_and_spec() -> None:
    env = gym.make("CartPole-v1", max_episode_steps=3)
    tap, recording = tapped(env, info_keys={"final": ["x"]}, extract=extract_x)
    assert tap.spec == env.spec
    assert isinstance(gym.make(tap.spec), TimeLimit)
    assert tap.get_wrapper_attr("gravity") == 9.8
    assert tap.set_wrapper_attr("gravity", 5.0)
    assert env.unwrapped.gravity == 5.0  # type: ignore[attr-defined]
    list(play(tap))
    episode = recording.take("uid")
    assert episode is not None
    assert (episode.length, episode.episode_return) == (3, 3.0)
    assert len(episode.running["x"].values) == 4


def extract_x(env: Any, info: Any) -> dict[str, Any]:
    """`extract` gets the outermost sub-environment, not the tap."""
    assert not isinstance(env, Tap)
    return {"running": {"x": env.unwrapped.state[0]}}


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_does_not_record(duplicate: Any) -> None:
    env = Replay([{"tbtrace": {"running": {"v": float(i)}}} for i in range(4)])
    tap, recording = tapped(env)
    tap.reset()
    tap.step(0)
    planned = duplicate(tap)
    assert type(planned) is Replay
    assert planned is not env
    assert planned.at == 1
    planned.step(0)
    planned.step(0)
    tap.step(0)
    tap.step(0)
    episode = recording.take("uid")
    assert episode is not None
    assert episode.running["v"].values.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_a_deep_copy_of_something_that_holds_a_tap_is_one() -> None:
    tap, _ = tapped(Replay([{}]))
    held = copy.deepcopy({"env": tap, "again": tap})
    assert type(held["env"]) is Replay
    assert held["env"] is held["again"]


def test_seed_and_options_are_handed_on() -> None:
    given_ = []

    class Asked(Replay):
        def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, Any]:
            given_.append((seed, options))
            return super().reset(seed=seed)

    tapped(Asked([{}]))[0].reset(seed=3, options={"hard": True})
    assert given_ == [(3, {"hard": True})]


# What gymnasium's vectorisation does to infos, with and without the tap.


def vectorised(said: list[Any], tap: bool) -> tuple[dict[str, Any], list[Recording]]:
    """Resets a vector env whose sub-environments say these things; returns its infos."""
    recordings = [Recording(Contract(), Problems(), strict=True) for _ in said]
    envs = SyncVectorEnv([lambda one=one: Replay([one] * 3) for one in said])
    if tap:
        envs.envs = [Tap(env, rec) for env, rec in zip(envs.envs, recordings, strict=True)]
    _, infos = envs.reset()
    return infos, recordings


def first_values(recordings: list[Recording], name: str) -> list[float]:
    episodes = [recording.take(str(number)) for number, recording in enumerate(recordings)]
    return [episode.running[name].values[0] for episode in episodes if episode is not None]


def test_values_that_gymnasium_would_truncate_are_exact() -> None:
    said = [{"tbtrace": {"running": {"v": value}}} for value in (1, 0.7, 2.5)]
    mangled, _ = vectorised(said, tap=False)
    assert mangled["tbtrace"]["running"]["v"].tolist() == [1, 0, 2]
    infos, recordings = vectorised(said, tap=True)
    assert infos == {}
    assert first_values(recordings, "v") == [1.0, 0.7, 2.5]


def test_shapes_that_gymnasium_dies_of_are_recorded() -> None:
    said: list[Any] = [{"tbtrace": {"traces": {"g": np.ones((n, 2))}}} for n in (1, 3, 2)]
    with pytest.raises(ValueError, match="broadcast"):
        vectorised(said, tap=False)
    infos, recordings = vectorised(said, tap=True)
    assert infos == {}
    episodes = [recording.take("uid") for recording in recordings]
    assert [len(episode.traces["g"]) for episode in episodes if episode is not None] == [1, 3, 2]


def test_names_that_would_be_lost_on_the_way_are_recorded() -> None:
    infos, recordings = vectorised([{"tbtrace": {"running": {0: 1.0, "_v": 2.0}}}] * 3, tap=True)
    assert infos == {}
    episodes = [recording.take("uid") for recording in recordings]
    assert [list(episode.running) for episode in episodes if episode] == [["0", "_v"]] * 3


def test_an_info_that_is_no_dict_kills_gymnasium_and_is_counted_by_the_tap() -> None:
    said = [{"mine": 1}, None, {"mine": 2}]
    with pytest.raises(AttributeError, match="items"):
        vectorised(said, tap=False)
    with pytest.warns(TbtraceWarning, match="info is None"):
        infos, _ = vectorised(said, tap=True)
    assert infos["mine"].tolist() == [1, 0, 2]


def test_three_episodes_in_a_vector_env_stay_apart() -> None:
    said = [{"tbtrace": {"running": {"v": float(number)}}} for number in range(3)]
    recordings = [Recording(Contract(), Problems(), strict=True) for _ in said]
    envs = SyncVectorEnv([lambda one=one: Replay([one] * 3) for one in said])
    envs.envs = [Tap(env, rec) for env, rec in zip(envs.envs, recordings, strict=True)]
    assert envs.get_attr("at") == (0, 0, 0)
    envs.reset()
    for _ in range(2):
        envs.step(np.zeros(3, np.int64))
    assert envs.get_attr("at") == (2, 2, 2)
    envs.set_attr("at", [7, 8, 9])
    assert [env.unwrapped.at for env in envs.envs] == [7, 8, 9]  # type: ignore[attr-defined]
    episodes = [recording.take("uid") for recording in recordings]
    assert [
        (episode.length, episode.running["v"].values.tolist())
        for episode in episodes
        if episode is not None
    ] == [(2, [float(number)] * 3) for number in range(3)]
