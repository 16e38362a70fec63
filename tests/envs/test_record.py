"""RecordTraces alone, and in gymnasium's vector environments of every mode."""

from __future__ import annotations

import copy
import functools
import pickle
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import TimeLimit
from gymnasium.wrappers.vector import DictInfoToList

import tbtrace
from tbtrace.envs.record import Handover
from tbtrace.errors import ContractError, TbtraceWarning
from tbtrace.recording import HANDED_OVER


class Counting(gym.Env[np.ndarray, Any]):
    """Ends after `length` steps; says things that vectorisation would mangle."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, length: int, number: int = 0) -> None:
        self.length = length
        self.number = number
        self.episodes = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        self.episodes += 1
        self.at = 0
        return np.zeros(2, np.float32), self.say()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, Any]:
        self.at += 1
        return np.zeros(2, np.float32), 0.5, self.at == self.length, False, self.say()

    def say(self) -> dict[str, Any]:
        # An int in one environment, a float in the next; shapes that differ; a name with "_".
        value = self.at if self.number == 0 else self.at + 0.25
        group = np.full((self.number + 1, 2), float(self.at))
        said = {
            "running": {"_at": value},
            "final": {"env": self.number, "episode": self.episodes},
            "traces": {"group": group},
        }
        return {"tbtrace": said, "plain": self.at}


def make(length: int, number: int = 0, **options: Any) -> tbtrace.RecordTraces:
    return tbtrace.RecordTraces(Counting(length, number), strict=True, **options)


def play(env: gym.Env[Any, Any], steps: int) -> list[dict[str, Any]]:
    infos = [env.reset()[1]]
    return infos + [env.step(0)[-1] for _ in range(steps)]


def test_an_episode_is_handed_over_once_at_its_last_step() -> None:
    env = make(3)
    infos = play(env, 3)
    assert [len(tbtrace.collect(info)) for info in infos] == [0, 0, 0, 1]
    (episode,) = tbtrace.collect(infos[-1])
    assert episode.running["_at"].values.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert (episode.length, episode.episode_return) == (3, 1.5)
    assert episode.traces["group"]["0"].points.tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert env.drain() == [episode]
    assert env.drain() == []


def test_what_is_consumed_is_gone_and_the_rest_is_there() -> None:
    for at, info in enumerate(play(make(2), 2)):
        assert "tbtrace" not in info
        assert info["plain"] == at


def test_the_environments_own_dict_is_not_changed() -> None:
    class Keeping(Counting):
        kept: dict[str, Any] = {"plain": 1}  # noqa: RUF012

        def say(self) -> dict[str, Any]:
            return self.kept

    play(tbtrace.RecordTraces(Keeping(1)), 1)
    assert Keeping.kept == {"plain": 1}


def test_uids_are_unique() -> None:
    first, second = make(1), make(1)
    for env in (first, first, second):
        play(env, 1)
    assert len({episode.uid for episode in (*first.drain(), *second.drain())}) == 3


def test_the_last_hundred_wait_to_be_drained_and_the_others_are_counted() -> None:
    env = tbtrace.RecordTraces(Counting(1))
    with pytest.warns(TbtraceWarning, match=r"call drain\(\) more often, or collect") as said:
        for _ in range(130):
            last = play(env, 1)[-1]
    assert len(said) == 1
    assert [episode.final["episode"] for episode in env.drain()] == list(range(31, 131))
    assert last[HANDED_OVER].counts == {"episodes": 30}


def never(info: dict[str, Any]) -> None:
    pass


def at_times(info: dict[str, Any]) -> None:
    if info[HANDED_OVER].ended % 7 == 0:
        tbtrace.collect(info)


def in_another_process(info: dict[str, Any]) -> None:
    assert tbtrace.collect(pickle.loads(pickle.dumps(info)))


@pytest.mark.parametrize(
    ("look", "lost"), [(never, 15), (tbtrace.collect, 0), (at_times, 0), (in_another_process, 0)]
)
def test_episodes_are_lost_where_nobody_looks_into_infos(look: Any, lost: int) -> None:
    env = tbtrace.RecordTraces(Counting(1))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for _ in range(115):
            last = play(env, 1)[-1]
            look(last)
    assert last[HANDED_OVER].counts.get("episodes", 0) == lost
    assert len(said) == bool(lost)


def test_nothing_is_lost_that_was_drained_in_time() -> None:
    env = make(1)
    drained = []
    for number in range(250):
        play(env, 1)
        drained += env.drain() if number % 100 == 99 else []
    assert len(drained + env.drain()) == 250


def test_lost_episodes_end_no_step_where_warnings_are_errors() -> None:
    env = tbtrace.RecordTraces(Counting(1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(102):
            last = play(env, 1)[-1]
    assert last[HANDED_OVER].counts == {"episodes": 2}


def test_steps_after_the_end_belong_to_no_episode() -> None:
    env = make(2)
    infos = play(env, 4)
    assert [len(tbtrace.collect(info)) for info in infos] == [0, 0, 1, 0, 0]
    assert [episode.length for episode in env.drain()] == [2]


def test_counts_grow_over_the_environments_life() -> None:
    env = tbtrace.RecordTraces(TimeLimit(Counting(9), 2), info_keys={"running": ["word"]})
    env.unwrapped.say = lambda: {"word": "fast"}  # type: ignore[method-assign]
    with pytest.warns(TbtraceWarning, match="word"):
        handed = [play(env, steps)[-1].get(HANDED_OVER) for steps in (2, 1, 2)]
    assert handed[1] is None
    assert handed[0].ended == 1
    assert handed[0].counts == {"values": 3}
    assert handed[2].ended == 2
    assert handed[2].counts == {"values": 8, "aborted": 1}


def test_only_the_inner_of_two_records() -> None:
    inner = make(2)
    outer = tbtrace.RecordTraces(inner, strict=True)
    infos = play(outer, 2)
    assert tbtrace.collect(infos[-1]) == inner.drain()
    assert outer.drain() == []


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_copies_do_not_record(clone: Any) -> None:
    env = make(2)
    env.reset()
    assert not tbtrace.collect([step[-1] for step in [clone(env).step(0), clone(env).step(0)]])
    assert isinstance(clone(env), Counting)


MODES = {
    "sync": functools.partial(SyncVectorEnv),
    "async": functools.partial(AsyncVectorEnv, shared_memory=False),
    "async, shared memory": functools.partial(AsyncVectorEnv, shared_memory=True),
}


@pytest.mark.parametrize("autoreset", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("mode", MODES)
def test_episodes_survive_vectorisation(mode: str, autoreset: AutoresetMode) -> None:
    lengths = (2, 3, 1)
    makers = [functools.partial(make, length, number) for number, length in enumerate(lengths)]
    vector_env = MODES[mode](makers, autoreset_mode=autoreset)
    try:
        episodes = run(vector_env, steps=12)
        listed = run(DictInfoToList(vector_env), steps=12)
    finally:
        vector_env.close()
    assert [facts(episode) for episode in episodes] == [facts(episode) for episode in listed]
    for number, length in enumerate(lengths):
        ours = [episode for episode in episodes if episode.final["env"] == number]
        rounds = length if autoreset == AutoresetMode.SAME_STEP else length + 1
        assert len(ours) == (12 + rounds - length) // rounds
        for episode in ours:
            offset = 0.25 if number else 0.0
            assert episode.running["_at"].values.tolist() == [
                at + offset for at in range(length + 1)
            ]
            assert list(episode.traces["group"]) == [str(index) for index in range(number + 1)]
            assert (episode.length, episode.episode_return) == (length, 0.5 * length)
    assert len({episode.uid for episode in (*episodes, *listed)}) == len(episodes) + len(listed)


def run(vector_env: Any, steps: int) -> list[tbtrace.Episode]:
    _, infos = vector_env.reset()
    episodes = tbtrace.collect(infos)
    for _ in range(steps):
        episodes += tbtrace.collect(vector_env.step(np.zeros(3, np.int64))[-1])
    return episodes


def facts(episode: tbtrace.Episode) -> Any:
    return episode.final["env"], episode.length, episode.running["_at"].values.tolist()


def test_collecting_from_what_holds_nothing() -> None:
    for infos in ({}, {"final_info": None}, [], None, {HANDED_OVER: 3}, {"final_info": {}}):
        assert tbtrace.collect(infos) == []


def test_collecting_from_an_array_of_final_infos() -> None:
    episode = tbtrace.Episode("a", 1, 0.0)
    finals = np.full(3, None, object)
    finals[1] = {HANDED_OVER: Handover(episode, 1, {})}
    assert tbtrace.collect({"final_info": finals, "_final_info": finals != None}) == [episode]  # noqa: E711


class Players:
    """Knows agents, but is nothing that steps."""

    possible_agents = ("a", "b")


@pytest.mark.parametrize(
    "env", [Players(), SyncVectorEnv([lambda: Counting(1)])], ids=["players", "vector"]
)
def test_what_is_no_environment_is_refused(env: Any) -> None:
    assert not isinstance(env, gym.Env) or isinstance(env, VectorEnv)
    with pytest.raises(ContractError, match=r"wraps a gymnasium\.Env"):
        tbtrace.RecordTraces(env)


def test_wrong_options_raise() -> None:
    for options in ({"consume": "info"}, {"info_keys": {"traces": ["a"]}}):
        with pytest.raises(ContractError):
            tbtrace.RecordTraces(Counting(1), **options)  # type: ignore[arg-type]


def test_neither_ray_nor_pettingzoo_is_needed() -> None:
    import subprocess
    import sys

    code = """
import sys
import gymnasium as gym
from tbtrace import RecordTraces, collect
class Parallel:
    agents = ["a"]
    action_space = reset = step = print
for env in (gym.make("CartPole-v1"), Parallel()):
    assert RecordTraces(env).drain() == []
print({"ray", "pettingzoo"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
