"""The plant: rules of gymnasium, conservation, continuity, and that dispatching matters."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tbtrace import demo
from tbtrace.envs.floor import EXTENT, KINDS, LANES
from tbtrace.envs.machines import SPEED, TICK
from tbtrace.envs.plant import PlantEnv, shortest_work
from tbtrace.errors import ContractError

Policy = Callable[[Any], int]
STATES = {"travelling", "waiting", "queued", "worked on"}


def run(env: PlantEnv, policy: Policy, seed: int) -> Iterator[tuple[dict[str, Any], float]]:
    """Yields what is said, and the reward, at the reset and every step of an episode."""
    observation, info = env.reset(seed=seed)
    yield info["tbtrace"], 0.0
    truncated = False
    while not truncated:
        observation, reward, terminated, truncated, info = env.step(policy(observation))
        assert not terminated
        assert env.observation_space.contains(observation)
        yield info["tbtrace"], reward


def random_policy(seed: int) -> Policy:
    choice = np.random.default_rng(seed)
    return lambda observation: int(choice.integers(LANES))


@pytest.fixture(scope="module")
def said() -> list[dict[str, Any]]:
    """One long episode with rework and breakdowns."""
    env = PlantEnv({"steps": 900, "rework_share": 0.2, "failure_interval": 150.0})
    return [told for told, _ in run(env, random_policy(3), seed=3)]


def places(said: list[dict[str, Any]]) -> dict[str, list[tuple[int, float, float, str]]]:
    """Returns `{article: [(step, x, y, state), ...]}`."""
    found: dict[str, list[tuple[int, float, float, str]]] = {}
    for step, told in enumerate(said):
        for name, point in told["traces"]["articles"].items():
            found.setdefault(name, []).append((step, point["x"], point["y"], point["state"]))
    return found


def test_gymnasium_accepts_it() -> None:
    check_env(PlantEnv(), skip_render_check=True)


def test_seed_and_actions_say_it_all() -> None:
    def told(env: PlantEnv) -> list[Any]:
        return [
            ({key: value for key, value in told.items() if key != "scene"}, reward)
            for told, reward in run(env, random_policy(1), seed=7)
        ]

    env = PlantEnv()
    assert told(env) == told(env) == told(PlantEnv())
    assert told(env) != [
        ({key: value for key, value in told.items() if key != "scene"}, reward)
        for told, reward in run(env, random_policy(1), seed=8)
    ]


def test_articles_are_conserved(said: list[dict[str, Any]]) -> None:
    entered = places(said)
    numbers = sorted(int(name[1:]) for name in entered)
    assert numbers == list(range(1, len(numbers) + 1))
    assert said[-1]["final"]["shipped"] > 20
    in_work = len(said[-1]["traces"]["articles"])
    assert len(entered) == said[-1]["final"]["shipped"] + in_work
    for told in said:
        assert told["running"]["work_in_progress"] == len(told["traces"]["articles"])


def test_articles_stay_until_they_leave_and_never_jump(said: list[dict[str, Any]]) -> None:
    x0, x1, y0, y1 = EXTENT
    for way in places(said).values():
        steps = [step for step, *_ in way]
        assert steps == list(range(steps[0], steps[-1] + 1))
        for _, x, y, state in way:
            assert x0 <= x <= x1
            assert y0 <= y <= y1
            assert state in STATES
        for (_, xa, ya, _), (_, xb, yb, _) in itertools.pairwise(way):
            assert abs(xa - xb) + abs(ya - yb) <= SPEED * TICK + 1e-9


def test_articles_have_their_work_done_in_the_order_of_the_route(
    said: list[dict[str, Any]],
) -> None:
    labels = said[0]["scene"]["labels"]
    columns = {kind: labels[f"{kind}-1"][0] for kind in KINDS}
    shipped = set(places(said)) - set(said[-1]["traces"]["articles"])
    for name in shipped:
        visited = []
        for _, x, _, state in places(said)[name]:
            if state == "worked on":
                kind = min(KINDS, key=lambda it: abs(columns[it] - x))
                if not visited or visited[-1] != kind:
                    visited.append(kind)
        # An article that is reworked is at the last kind twice in a row.
        assert visited == list(KINDS), name


def test_final_values_follow_from_the_traces(said: list[dict[str, Any]]) -> None:
    ways = places(said)
    left = set(said[-1]["traces"]["articles"])
    # An article is last seen one step before the one in which it is gone.
    leads = [(way[-1][0] + 1 - way[0][0]) * TICK for name, way in ways.items() if name not in left]
    final = said[-1]["final"]
    assert final["shipped"] == len(leads)
    assert final["lead_time"] == pytest.approx(np.mean(leads))
    assert final["throughput"] == pytest.approx(len(leads) * 3600 / (900 * TICK))
    assert final["reworked"] > 0
    assert all("final" not in told for told in said[:-1])


def test_what_it_says_has_the_shape_of_the_contract(said: list[dict[str, Any]]) -> None:
    names = {f"{kind}-{lane}" for kind in KINDS for lane in range(1, LANES + 1)}
    for told in said:
        running = told["running"]
        assert running.keys() == {"work_in_progress", "queue_length", "utilisation", "energy"}
        assert running["queue_length"].keys() == names
        assert 0 <= running["utilisation"] <= 1
        assert running["energy"] > 0
    scene = said[0]["scene"]
    assert scene["background"].dtype == np.uint8
    assert scene["background"].ndim == 3
    assert scene["background"].nbytes < 500_000
    assert names | {"in", "out"} == scene["labels"].keys()
    assert all("scene" not in told for told in said[1:])


def test_stations_break_down_and_queue(said: list[dict[str, Any]]) -> None:
    assert min(told["running"]["utilisation"] for told in said[200:]) < 0.5
    assert max(max(told["running"]["queue_length"].values()) for told in said) >= 5


def outcome(policy_of: Callable[[int], Policy], episodes: int = 10) -> tuple[float, float, float]:
    """Mean articles shipped, mean lead time, mean return."""
    finals, returns = [], []
    for seed in range(episodes):
        told = list(run(PlantEnv(), policy_of(seed), seed))
        finals.append(told[-1][0]["final"])
        returns.append(sum(reward for _, reward in told))
    return (
        float(np.mean([final["shipped"] for final in finals])),
        float(np.mean([final["lead_time"] for final in finals])),
        float(np.mean(returns)),
    )


def test_dispatching_well_ships_more_and_sooner() -> None:
    shipped, lead_time, returned = outcome(random_policy)
    well_shipped, well_lead_time, well_returned = outcome(lambda seed: shortest_work)
    assert well_shipped > 1.5 * shipped
    assert well_lead_time < 0.85 * lead_time
    assert well_returned > returned


def test_the_random_policy_of_the_demo_is_that_of_these_tests() -> None:
    row = demo.random_policy(episodes=10)
    shipped, lead_time, _ = outcome(random_policy)
    assert row.throughput == pytest.approx(shipped * 6, rel=0.1)
    assert row.lead_time == pytest.approx(lead_time, rel=0.1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"step": 3}, "did you mean 'steps'"),
        ({"steps": 0}, "at least 1"),
        ({"steps": 2.5}, "integer"),
        ({"arrival_interval": 0}, "above 0"),
        ({"failure_interval": -1}, "above 0"),
        ({"rework_share": 1.0}, "below 1"),
        ({"rework_share": "much"}, "below 1"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ContractError, match=said):
        PlantEnv(options)


def test_a_step_before_the_reset_is_an_error() -> None:
    with pytest.raises(Exception, match="reset"):
        PlantEnv().step(0)
