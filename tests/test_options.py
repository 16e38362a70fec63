from __future__ import annotations

import math
import pickle
import threading

import pytest
from stand import Stand

from tbtrace import Reporting, views
from tbtrace.errors import ContractError
from tbtrace.options import pickled


def test_two_views_of_one_name_are_an_error() -> None:
    with pytest.raises(ContractError, match="2 views have the name 'paths'"):
        Reporting(views=[views.Paths(), views.Paths(group="cars")])


def test_a_view_that_does_not_pickle_is_named_at_once() -> None:
    lock = threading.Lock()
    with pytest.raises(ContractError, match=r"view 'locked' cannot be sent .*open files or locks"):
        Reporting(views=[Stand("fine"), Stand("locked", lambda episodes: lock)])


def test_an_unknown_step_is_an_error() -> None:
    with pytest.raises(ContractError, match="step='epochs'; known: None, 'iteration', 'env_steps'"):
        Reporting(step="epochs")  # type: ignore[arg-type]


@pytest.mark.parametrize("option", ["view_seconds", "drain_seconds"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_seconds_are_above_zero(option: str, value: float) -> None:
    with pytest.raises(ContractError, match=f"{option}=.*; give seconds above 0"):
        Reporting(**{option: value})  # type: ignore[arg-type]


def test_on_picture_is_called_so_it_can_be() -> None:
    with pytest.raises(ContractError, match="on_picture='wandb' cannot be called"):
        Reporting(on_picture="wandb")  # type: ignore[arg-type]


def test_views_are_pickled_with_their_names() -> None:
    (name, data), _ = pickled([Stand("one"), Stand("two", lambda episodes: None)])
    assert name == "one"
    assert pickle.loads(data) == Stand("one")


def test_reporting_itself_pickles() -> None:
    reporting = Reporting(view_seconds=3.0)
    assert pickle.loads(pickle.dumps(reporting)) == reporting
