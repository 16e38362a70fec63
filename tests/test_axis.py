from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbtrace.axis import ENV_STEPS, Axis, Step
from tbtrace.errors import ContractError, TbtraceWarning, forget_warnings

COUNTS = st.none() | st.floats() | st.integers() | st.text() | st.booleans() | st.just([1])
RESULTS = st.builds(
    lambda iteration, rest: {**rest, "training_iteration": iteration},
    st.integers(0, 10**6),
    st.dictionaries(st.sampled_from(ENV_STEPS), COUNTS),
)


def result(iteration: int, **counts: Any) -> dict[str, Any]:
    return {"training_iteration": iteration, **counts}


@given(st.lists(RESULTS), st.sampled_from([None, "iteration", "env_steps"]))
@pytest.mark.filterwarnings("ignore::tbtrace.errors.TbtraceWarning")
def test_every_result_has_a_step_and_nothing_raises(
    results: list[dict[str, Any]], kind: Step | None
) -> None:
    axis = Axis(kind)
    for told in results:
        assert type(axis.step(told)) is int


@given(st.lists(RESULTS))
def test_iterations_are_the_iterations(results: list[dict[str, Any]]) -> None:
    axis = Axis("iteration")
    assert [axis.step(r) for r in results] == [r["training_iteration"] for r in results]


@given(st.lists(st.integers(0, 1 << 60), min_size=1))
def test_env_steps_are_what_the_results_say(counts: list[int]) -> None:
    axis = Axis("env_steps")
    told = [axis.step(result(7, num_env_steps_sampled_lifetime=count)) for count in counts]
    assert told == counts


@given(st.integers(1, 10**6), st.none() | st.integers(0, 10**9))
def test_none_is_what_rays_own_logger_takes(iteration: int, total: int | None) -> None:
    told = result(iteration, timesteps_total=total)
    assert Axis().step(told) == (told.get("timesteps_total") or told["training_iteration"])


@pytest.mark.parametrize("total", [math.nan, math.inf, "many", [1], np.array([1, 2])])
def test_a_total_that_is_no_number_is_passed_over(total: object) -> None:
    assert Axis().step(result(3, timesteps_total=total)) == 3


@pytest.mark.parametrize("count", [5000, 5000.0, np.int64(5000), np.float32(5000)])
def test_numbers_of_every_type_count(count: object) -> None:
    assert Axis("env_steps").step(result(1, num_env_steps_sampled_lifetime=count)) == 5000


@pytest.mark.parametrize("gap", [{}, {"num_env_steps_sampled_lifetime": math.nan}])
def test_a_gap_stays_where_the_run_is(gap: dict[str, Any]) -> None:
    axis = Axis("env_steps")
    steps = [axis.step(result(1, num_env_steps_sampled_lifetime=4000.0))]
    steps += [axis.step(result(2, **gap, num_env_steps_sampled=4000))]
    steps += [axis.step(result(3, num_env_steps_sampled_lifetime=12000.0))]
    assert steps == [4000, 4000, 12000]


def test_a_run_that_goes_back_or_repeats_is_told_so() -> None:
    axis = Axis("env_steps")
    counts = [4000, 8000, 8000, 4000]
    assert [axis.step(result(1, timesteps_total=count)) for count in counts] == counts


@pytest.mark.parametrize("first", [{}, {"timesteps_total": None}, {"timesteps_total": math.nan}])
def test_without_env_steps_the_whole_run_goes_by_iteration(first: dict[str, Any]) -> None:
    axis = Axis("env_steps")
    with pytest.warns(TbtraceWarning, match="reported by iteration") as caught:
        steps = [axis.step(result(1, **first))]
        steps += [axis.step(result(2, num_env_steps_sampled_lifetime=8000.0))]
    assert steps == [1, 2]
    assert len(caught) == 1


@pytest.mark.filterwarnings("error")
def test_a_warning_that_is_an_error_loses_no_result() -> None:
    forget_warnings()
    assert Axis("env_steps").step(result(4)) == 4


def test_other_kinds_are_an_error() -> None:
    with pytest.raises(ContractError, match="step='time'"):
        Axis("time")  # type: ignore[arg-type]


@pytest.mark.usefixtures("ray_session")
@pytest.mark.parametrize("new_stack", [True, False])
def test_env_steps_of_both_api_stacks(new_stack: bool) -> None:
    from ray.rllib.algorithms.ppo import PPOConfig

    config = (
        PPOConfig()
        .environment("CartPole-v1")
        .env_runners(num_env_runners=0, rollout_fragment_length=100)
        .training(train_batch_size=100, minibatch_size=50, num_epochs=1)
        .debugging(log_level="ERROR")
    )
    if not new_stack:
        config.api_stack(
            enable_rl_module_and_learner=False, enable_env_runner_and_connector_v2=False
        )
    algo = config.build_algo()
    try:
        results = [algo.train() for _ in range(2)]
    finally:
        algo.stop()
    axis, rays = Axis("env_steps"), Axis()
    assert [axis.step(told) for told in results] == [100, 200]
    assert [rays.step(told) for told in results] == ([1, 2] if new_stack else [100, 200])
