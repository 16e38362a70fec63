from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from infos import SAID_NUMBERS, SETTINGS, Numbers, Places, Turn, exact_sum, raw, turns

from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.info import Contract
from tbtrace.recording import Recording
from tbtrace.stats import mean_and_sum

STEPS = st.lists(
    st.tuples(SAID_NUMBERS, st.none() | turns(), st.sampled_from(["tbtrace", "data", "both"])),
    min_size=1,
    max_size=8,
)


def info_of(numbers: dict[str, Any], turn: Turn | None, spelling: str) -> dict[str, Any]:
    """What is said in one step, in one of the spellings or in both at once."""
    info: dict[str, Any] = {"seed": 7, "tbtrace": {}, "data": raw(numbers)}
    if spelling != "data":
        info["tbtrace"] = raw(numbers)
    if spelling == "tbtrace":
        info["data"] = {"somebody": "else's"}
    if turn is not None:
        info["tbtrace"]["traces"] = turn.raw
    return info


@SETTINGS
@given(episodes=st.lists(STEPS, min_size=1, max_size=2))
def test_equals_a_naive_model(episodes: list[list[Any]]) -> None:
    problems = Problems()
    recording = Recording(Contract(), problems, strict=True)
    for episode_number, said in enumerate(episodes):
        numbers, places = Numbers(), Places()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TbtraceWarning)
            for step, (parts, turn, spelling) in enumerate(said):
                for _ in range(2 if spelling == "both" else 1):
                    numbers.hear(step, parts)
                if turn is not None:
                    places.hear(step, turn)
                info = info_of(parts, turn, spelling)
                if step == 0:
                    rest = recording.reset(None, info)
                else:
                    rest = recording.step(None, info, 0.5, done=step == len(said) - 1)
                assert rest is not info
                assert rest == {"seed": 7, "data": info["data"]}
            episode = recording.take(f"uid-{episode_number}")
        assert episode is not None
        assert (episode.uid, episode.length) == (f"uid-{episode_number}", len(said) - 1)
        assert episode.episode_return == 0.5 * (len(said) - 1)
        numbers.check(episode)
        places.check(episode)
        for series in episode.running.values():
            values = [value for value in series.values.tolist() if np.isfinite(value)]
            average, total = mean_and_sum(series.values)
            if values:
                assert total == pytest.approx(exact_sum(values), rel=1e-9, abs=1e-290)
                by_hand = exact_sum([value / len(values) for value in values])
                assert average == pytest.approx(by_hand, rel=1e-9, abs=1e-9 * max(map(abs, values)))
            else:
                assert np.isnan([average, total]).all()
        expected = {"values": numbers.dropped(), "points": places.refused}
        assert problems.take() == {kind: count for kind, count in expected.items() if count}


def recording_of(**options: Any) -> tuple[Recording, Problems]:
    problems = Problems()
    return Recording(Contract(**options), problems), problems


def test_values_at_reset_count_in_averages_too() -> None:
    recording, _ = recording_of()
    recording.reset(None, {"tbtrace": {"running": {"v": 1.0}}})
    recording.step(None, {"tbtrace": {"running": {"v": 2.0}}}, 1.0, done=True)
    episode = recording.take("uid")
    assert episode is not None
    assert episode.running["v"].steps.tolist() == [0, 1]
    assert mean_and_sum(episode.running["v"].values) == (1.5, 3.0)


def test_an_episode_that_ends_and_that_nobody_takes_is_uncounted() -> None:
    recording, problems = recording_of()
    recording.reset(None, {})
    recording.step(None, {}, 1.0, done=True)
    recording.reset(None, {})
    assert problems.take() == {"uncounted": 1}


def test_an_episode_that_a_reset_cuts_off_is_aborted() -> None:
    recording, problems = recording_of()
    recording.reset(None, {})
    recording.step(None, {}, 1.0, done=False)
    recording.reset(None, {"tbtrace": {"running": {"v": 1.0}}})
    assert problems.take() == {"aborted": 1}
    episode = recording.take("uid")
    assert episode is not None
    assert episode.length == 0
    assert list(episode.running) == ["v"]


def test_a_reset_without_a_step_is_neither() -> None:
    recording, problems = recording_of()
    for _ in range(3):
        recording.reset(None, {})
    recording.drop()
    assert problems.take() == {}


def test_a_taken_episode_is_over() -> None:
    recording, problems = recording_of()
    recording.reset(None, {})
    recording.step(None, {}, 1.0, done=True)
    assert recording.take("uid") is not None
    assert recording.take("again") is None
    recording.reset(None, {})
    assert problems.take() == {}


def test_steps_before_a_reset_and_after_the_end_are_forwarded_and_not_recorded() -> None:
    recording, _ = recording_of()
    info = {"tbtrace": {"running": {"v": 1.0}}, "seed": 7}
    assert recording.step(None, info, 1.0, done=True) == {"seed": 7}
    assert recording.take("uid") is None
    recording.reset(None, {})
    recording.step(None, {}, 1.0, done=True)
    assert recording.step(None, info, 1.0, done=False) == {"seed": 7}
    episode = recording.take("uid")
    assert episode is not None
    assert episode.length == 1
    assert episode.running == {}


def test_the_return_is_the_sum_of_rewards_of_every_type() -> None:
    recording, _ = recording_of()
    recording.reset(None, {})
    for reward in (1, 0.5, np.float32(0.25), np.array([2.0]), True):
        recording.step(None, {}, reward, done=False)
    episode = recording.take("uid")
    assert episode is not None
    assert episode.episode_return == 4.75
    assert type(episode.episode_return) is float


def broken(env: Any, info: Any) -> dict[str, Any]:
    raise KeyError("gone")


def test_an_exception_in_extract_is_warned_of_once_and_counted_and_costs_nothing_else() -> None:
    recording, problems = recording_of(extract=broken)
    said = {"tbtrace": {"running": {"v": 1.0}}, "seed": 7}
    with pytest.warns(TbtraceWarning, match=r"reading an info raised KeyError: 'gone' in .*:\d+"):
        assert recording.reset(None, said) == {"seed": 7}
    assert recording.step(None, said, 1.0, done=True) == {"seed": 7}  # no second warning
    assert problems.take() == {"records": 2}
    episode = recording.take("uid")
    assert episode is not None
    assert episode.running["v"].values.tolist() == [1.0, 1.0]


def test_strict_lets_exceptions_through() -> None:
    recording = Recording(Contract(extract=broken), Problems(), strict=True)
    with pytest.raises(KeyError):
        recording.reset(None, {})


def test_an_info_that_is_no_dict_is_counted_and_forwarded_as_one() -> None:
    recording, problems = recording_of()
    with pytest.warns(TbtraceWarning, match="info is a list of length 1"):
        assert recording.reset(None, [1]) == {}
    assert recording.step(None, None, 1.0, done=True) == {}
    assert problems.take() == {"records": 2}
    episode = recording.take("uid")
    assert episode is not None
    assert episode.length == 1


@pytest.mark.parametrize("consume", [(), ("tbtrace",), ("tbtrace", "data", "media")])
def test_the_info_of_the_environment_is_never_changed(consume: tuple[str, ...]) -> None:
    recording, _ = recording_of(consume=consume)
    info = {
        "tbtrace": {"running": {"v": 1.0}, "traces": {"g": {"a": [0.0, 1.0]}}},
        "data": {"final": {"w": 1}},
        "media": {"plan": [1, 2]},
        "seed": 7,
    }
    before = copy.deepcopy(info)
    rest = recording.reset(None, info)
    assert info == before
    assert rest == {key: value for key, value in info.items() if key not in consume}
    episode = recording.take("uid")
    assert episode is not None
    assert episode.final == {"w": 1.0}
    assert list(episode.media) == ["plan"]
