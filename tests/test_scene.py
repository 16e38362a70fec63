from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tbtrace.episode import Scene
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.scene import read_scene


def read(said: Any) -> Scene:
    problems = Problems()
    scene = read_scene(said, problems)
    assert problems.take() == {}
    assert scene is not None
    return scene


def refused(said: Any, message: str) -> Scene | None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match=message):
        scene = read_scene(said, problems)
    assert problems.take() == {"values": 1}
    return scene


def test_every_entry_is_read_and_the_background_copied() -> None:
    plan = np.zeros((4, 6, 3), np.uint8)
    scene = read(
        {
            "background": plan,
            "extent": np.array([0, 6, 0, 4]),
            "units": "m",
            "labels": {"gate": (1, 2.5), 7: np.array([0.0, 1.0])},
        }
    )
    plan[:] = 9
    assert scene.background is not None
    assert not scene.background.any()
    assert scene.extent == (0.0, 6.0, 0.0, 4.0)
    assert scene.units == "m"
    assert scene.places == {"gate": (1.0, 2.5), "7": (0.0, 1.0)}
    assert scene.axes == ()


def test_labels_may_name_the_axes() -> None:
    assert read({"labels": ("east", "north")}).axes == ("east", "north")
    assert read({"labels": ["x", "y", "height"]}).axes == ("x", "y", "height")


def test_the_axes_of_an_extent_may_run_backwards() -> None:
    assert read({"extent": (0, 10, 5, -5)}).extent == (0.0, 10.0, 5.0, -5.0)


def test_entries_of_none_are_left_out() -> None:
    scene = read({"background": None, "extent": None, "units": None, "labels": None})
    assert (scene.background, scene.extent, scene.units) == (None, None, None)


@pytest.mark.parametrize(
    "background",
    [
        np.zeros((4, 6, 3)),
        np.zeros((4, 6), np.uint8),
        np.zeros((4, 6, 4), np.uint8),
        np.zeros((0, 6, 3), np.uint8),
        [[1], [2, 3]],
        "plan.png",
    ],
    ids=["float", "grey", "alpha", "empty", "ragged", "str"],
)
def test_a_background_that_is_no_picture_is_named(background: Any) -> None:
    scene = refused({"background": background, "units": "m"}, r"'background'.*uint8 array")
    assert scene is not None
    assert (scene.background, scene.units) == (None, "m")


@pytest.mark.parametrize(
    "extent", [(0, 1, 0), (0, 1, 2, 2), (0, 0, 1, 2), (0, np.nan, 0, 1), "0101", 5, (0, None, 0, 1)]
)
def test_an_extent_that_is_none_is_named(extent: Any) -> None:
    scene = refused({"extent": extent}, r"scene\['extent'\] is .*; expected four finite numbers")
    assert scene is not None
    assert scene.extent is None


@pytest.mark.parametrize(
    "labels", [{"a": 1}, {"a": (1,)}, {"a": (1, "b")}, {"a": (np.nan, 0)}, ["x"], [1, 2], "xy"]
)
def test_labels_that_are_none_are_named(labels: Any) -> None:
    scene = refused({"labels": labels}, r"scene\['labels'\] is .*; expected \{text: \(x, y\)\}")
    assert scene is not None
    assert (scene.places, scene.axes) == ({}, ())


def test_an_unknown_entry_is_named_with_the_closest_one() -> None:
    refused({"extend": (0, 1, 0, 1)}, r"scene\['extend'\].*did you mean 'extent'")


def test_units_are_a_str() -> None:
    refused({"units": 3}, r"scene\['units'\] is an int; expected a str")


def test_a_scene_that_is_no_dict_is_named() -> None:
    assert refused([1], r"scene is a list of length 1; give a dict of background, extent") is None
