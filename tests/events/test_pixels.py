"""Which arrays are pictures, and the frames that are made of them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from tensorboardX.utils import convert_to_HWC

from tbtrace.events import pixels
from tbtrace.events.pixels import Images, are_positions, channels_last


def images(*arrays: np.ndarray, listed: bool = True) -> Images:
    last = channels_last(arrays)
    assert last is not None
    return Images(arrays, last, listed)


def frames(*arrays: np.ndarray, listed: bool = True) -> np.ndarray:
    """Returns the one card's frames."""
    (card,) = images(*arrays, listed=listed).samples()
    return card


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("shape", "last"),
    [
        ((3, 8, 9), False),
        ((1, 8, 9), False),
        ((3, 20, 3), False),
        ((8, 9, 3), True),
        ((2, 3, 8, 9), False),
        ((2, 8, 9, 4), True),
        ((2, 5, 3, 8, 9), False),
        ((2, 5, 8, 9, 1), True),
        ((3, 8, 9, 2), None),
        ((4, 10, 2), None),
        ((5, 6, 7), None),
        ((8, 9), None),
        ((2, 2, 2, 2, 2, 3), None),
    ],
)
def test_pictures_by_their_shape(shape: tuple[int, ...], last: bool | None) -> None:
    assert channels_last([np.zeros(shape, np.uint8)]) is last


def test_the_arrays_of_a_list_have_one_layout() -> None:
    assert channels_last([np.zeros((3, 20, 3)), np.zeros((8, 9, 3))]) is True
    assert channels_last([np.zeros((3, 20, 3)), np.zeros((3, 8, 9))]) is False
    assert channels_last([np.zeros((8, 9, 3)), np.zeros((3, 8, 9))]) is None


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.full((5, 20, 3), 0.5), False),
        (np.full((5, 20, 3), 1.02), False),
        (np.full((5, 20, 3), 200.0), False),
        (np.full((5, 20, 3), np.nan), False),
        (np.full((5, 20, 3), 200), False),
        (np.full((5, 20, 3), 200, np.uint8), False),
        (np.full((5, 20, 3), True), False),
        (np.full((3, 20, 20), -7.5), False),
        (np.full((5, 20, 3), 7.5), True),
        (np.full((5, 20, 3), -0.2), True),
        (np.full((5, 20, 3), 256.0), True),
        (np.full((5, 20, 3), -1), True),
        (np.full((5, 20, 3), 300, np.int16), True),
        (np.full((2, 500, 800, 3), 7.5, np.float32), True),
    ],
)
def test_positions_hold_numbers_that_no_pixels_are(array: np.ndarray, expected: bool) -> None:
    assert are_positions(array) is expected


def test_one_position_among_pixels_is_found() -> None:
    array = np.zeros((50, 200, 3), np.float32)
    array[49, 199, 2] = 1.5
    assert are_positions(array)


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        ((3, 8, 9), "CHW"),
        ((1, 8, 9), "CHW"),
        ((8, 9, 4), "HWC"),
        ((11, 3, 8, 9), "NCHW"),
        ((5, 1, 8, 9), "NCHW"),
        ((9, 8, 9, 4), "NHWC"),
    ],
)
def test_the_pixels_are_those_of_rays_logger(
    shape: tuple[int, ...], layout: str, dtype: Any
) -> None:
    array = noise(*shape)
    if dtype is not np.uint8:
        array = (array / 255).astype(dtype)
    expected = convert_to_HWC(array, layout)
    if dtype is not np.uint8:
        expected = (expected * 255.0).astype(np.uint8)
    assert (frames(array, listed=False) == expected[np.newaxis]).all()


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([True, False]), [255, 0]),
        (np.array([-3, 7, 300]), [0, 7, 255]),
        (np.array([-3, 7], np.int8), [0, 7]),
        (np.array([7, 300], np.uint64), [7, 255]),
        (np.array([-0.5, 0.0, 1.0, 1.5, np.nan]), [0, 0, 255, 255, 0]),
        (np.array([-np.inf, 0.5, np.inf]), [0, 127, 255]),
        (np.array([0.0, 3.0, 255.0, 300.0, np.nan]), [0, 3, 255, 255, 0]),
        (np.array([0.25, 1.0], np.longdouble), [63, 255]),
    ],
)
def test_brightness_of_other_types(array: np.ndarray, expected: list[int]) -> None:
    column = frames(array.reshape(1, -1, 1).repeat(5, axis=2))[0, :, 0, 0]
    assert column.tolist() == expected


def test_a_dark_frame_is_as_dark_as_its_neighbours_say() -> None:
    dark, bright = np.full((1, 5, 5), 1.0), np.full((1, 5, 5), 255.0)
    assert frames(dark, bright)[:, 0, 0, 0].tolist() == [1, 255]


def test_a_list_of_pictures_is_an_animation() -> None:
    first, second = noise(3, 8, 9), noise(3, 8, 9)[::-1]
    assert (frames(first, second) == np.moveaxis([first, second], 1, -1)).all()


def test_a_list_of_batches_is_one_animation() -> None:
    first, second = noise(2, 8, 9, 3), noise(4, 8, 9, 3)
    assert (frames(first, second) == np.concatenate([first, second])).all()
    assert (frames(first) == first).all()


def test_videos_are_a_card_each() -> None:
    videos = noise(2, 5, 3, 8, 9)
    expected = np.moveaxis(videos, 2, -1)
    assert (np.array(images(videos, listed=False).samples()) == expected).all()
    both = images(videos, videos[:1, :2]).samples()
    assert [card.shape for card in both] == [(5, 8, 9, 3), (5, 8, 9, 3), (2, 8, 9, 3)]


def test_pictures_beside_videos_are_a_card_of_their_own() -> None:
    video, picture = noise(1, 5, 8, 9, 3), noise(8, 9, 3)
    assert [len(card) for card in images(video, picture, picture).samples()] == [2, 5]


def test_smaller_frames_are_padded() -> None:
    small, wide = noise(2, 3, 3), noise(1, 5, 3)
    card = frames(small, wide)
    assert card.shape == (2, 2, 5, 3)
    assert (card[0, :2, :3] == small).all()
    assert (card[0, :, 3:] == 0).all()
    assert (card[1, :1] == wide).all()


def test_padding_is_transparent_beside_four_channels() -> None:
    card = frames(noise(2, 3, 3), noise(2, 5, 4))
    assert card.shape == (2, 2, 5, 4)
    assert (card[0, :, :3, 3] == 255).all()
    assert (card[0, :, 3:] == 0).all()
    assert (card[1] == noise(2, 5, 4)).all()


def test_cards_have_one_size() -> None:
    shapes = {card.shape[1:] for card in images(noise(1, 2, 4, 4, 3), noise(6, 2, 4)).samples()}
    assert shapes == {(6, 4, 4)}


def test_more_cards_and_frames_than_the_bounds_are_left_out_and_counted() -> None:
    many = images(noise(12, 150, 1, 2, 3), listed=False)
    assert [len(card) for card in many.samples()] == [100] * 10
    assert many.left_out == 12 * 150 - 1000
    long = images(noise(1100, 1, 2, 3))
    assert [len(card) for card in long.samples()] == [1000]
    assert long.left_out == 100
    grid = images(noise(1100, 2, 5, 3), listed=False)
    assert grid.samples()[0].shape == (1, 1000 // 8 * 2, 8 * 5, 3)
    assert grid.left_out == 100
    assert images(noise(5, 1, 2, 3)).left_out == 0


def test_pixels_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "MOST_PIXELS", 3 * 30)
    crossed = images(*[noise(5, 2, 3), noise(2, 6, 3)] * 4)
    assert crossed.size == (5, 6)
    assert crossed.samples()[0].shape == (3, 5, 6, 3)
    assert crossed.left_out == 5


def test_they_pickle() -> None:
    made = images(noise(2, 8, 9, 3), noise(3, 8, 9, 3)[:, ::2])
    back = pickle.loads(pickle.dumps(made))
    assert (back.samples()[0] == made.samples()[0]).all()
    assert back.listed is made.listed
