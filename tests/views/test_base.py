from __future__ import annotations

import pytest

from tbtrace.episode import Episode
from tbtrace.errors import ContractError
from tbtrace.select import Best, Last, Worst
from tbtrace.views import Paths
from tbtrace.views.base import caption


def test_one_selector_or_split_is_as_good_as_several() -> None:
    view = Paths(pick=Best(2), split="train")
    assert view.picks == (Best(2),)
    assert view.splits == ("train",)
    assert Paths().picks == (Best(), Worst(), Last())
    assert Paths().splits == ("train", "evaluation")


@pytest.mark.parametrize(
    "options",
    [
        {"name": ""},
        {"name": "/"},
        {"pick": ()},
        {"pick": Best},
        {"pick": lambda summaries: [0]},
        {"pick": (Best(), Best(by="speed_avg"))},
        {"split": "test"},
        {"split": ()},
        {"size": (640,)},
        {"size": (64, 48)},
        {"size": (640.0, 480.0)},
        {"size": [640, 480]},
        {"size": 640},
        {"split": ["train"]},
        {"pick": [Best()]},
    ],
)
def test_wrong_options_are_refused(options: dict) -> None:
    with pytest.raises(ContractError):
        Paths(**options)


def test_two_selectors_of_a_kind_need_names() -> None:
    picks = (Best(), Best(by="speed_avg", name="fastest"))
    assert Paths(pick=picks).picks == picks


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (31.4159, "31.4"),
        (-0.0012345, "-0.00123"),
        (123456.7, "123457"),
        (-999.7, "-1000"),
        (float("nan"), "nan"),
    ],
)
def test_returns_are_short(value: float, told: str) -> None:
    assert caption([Episode("a", 1, value)]) == f"return {told} · 1 step"


def test_several_episodes_are_counted() -> None:
    several = [Episode("a", 1, 2.0, iteration=3, split="train"), Episode("b", 1, 2.0)]
    assert caption(several) == "iteration 3 · train · 2 episodes"
