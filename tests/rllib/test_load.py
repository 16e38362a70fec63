"""Scenes travel once to each receiver, and none is mistaken for another."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tbtrace.episode import Episode, Scene
from tbtrace.rllib.load import Receiver, Sender


def scene(number: int) -> Scene:
    return Scene(background=np.full((4, 5, 3), number % 251, np.uint8), units=str(number))


def episode(number: int | None) -> Episode:
    return Episode("uid", 1, 0.0, scene=None if number is None else scene(number))


def sent(sender: Sender, receiver: Receiver, *numbers: int | None) -> tuple[list[Any], int]:
    """Units of the scenes that arrived, and how many scenes travelled."""
    load = pickle.loads(pickle.dumps(sender.pack([episode(number) for number in numbers])))
    arrived = receiver.unpack(load)
    return [None if e.scene is None else int(e.scene.units) for e in arrived], len(load.scenes)


def test_a_scene_travels_once() -> None:
    sender, receiver = Sender(), Receiver()
    assert sent(sender, receiver, 1, 1, 2) == ([1, 1, 2], 2)
    assert sent(sender, receiver, 2, None, 1) == ([2, None, 1], 0)


def test_packing_leaves_the_episodes_alone() -> None:
    mine = episode(3)
    Sender().pack([mine])
    assert mine.scene is not None


@given(st.lists(st.tuples(st.integers(0, 29), st.none() | st.integers(0, 39)), max_size=300))
def test_every_scene_arrives_whatever_senders_have_forgotten(moves: list[Any]) -> None:
    senders, receiver = [Sender() for _ in range(30)], Receiver()
    for index, number in moves:
        assert sent(senders[index], receiver, number)[0] == [number]


def test_many_senders_with_scenes_of_their_own() -> None:
    senders, receiver = [Sender() for _ in range(40)], Receiver()
    for _ in range(3):
        for index, sender in enumerate(senders):
            numbers = [4 * index + own for own in range(4)]
            assert sent(sender, receiver, *numbers)[0] == numbers


def test_a_lost_scene_is_none_not_another_one() -> None:
    sender, receiver = Sender(), Receiver()
    sender.pack([episode(1)])  # never arrives
    assert sent(sender, receiver, 1) == ([None], 0)
    assert sent(sender, Receiver(), None) == ([None], 0)
