from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tbtrace.draw.png import encode
from tbtrace.errors import ContractError


def decoded(data: bytes, mode: str = "RGB") -> np.ndarray:
    return np.array(Image.open(BytesIO(data)).convert(mode))


def drawing() -> np.ndarray:
    image = np.full((48, 64, 3), 255, np.uint8)
    image[10:20, 5:40] = (0, 114, 178)
    image[30:32] = 0
    return image


def test_a_drawing_comes_back_with_close_colours() -> None:
    image = drawing()
    data = encode(image)
    back = decoded(data)
    assert Image.open(BytesIO(data)).mode == "P"
    assert back.shape == image.shape
    assert np.abs(back.astype(int) - image).max() <= 4
    assert (back[0, 0] == 255).all()
    assert (back[30, 0] == 0).all()


def test_more_than_256_colours_stay_close_where_they_are_rare() -> None:
    image = np.full((200, 200, 3), 255, np.uint8)
    rare = np.random.default_rng(0).integers(0, 32, (400, 3)) * 8
    image[:2] = rare.reshape(2, 200, 3)
    data = encode(image)
    assert Image.open(BytesIO(data)).mode == "P"
    assert np.abs(decoded(data).astype(int) - image).mean() < 4


def test_a_photograph_is_stored_as_it_is() -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    assert (decoded(encode(image)) == image).all()


def test_transparency_is_kept_and_full_opacity_dropped() -> None:
    image = np.dstack([drawing(), np.full((48, 64), 255, np.uint8)])
    assert encode(image) == encode(drawing())
    image[:5, :, 3] = 90
    assert (decoded(encode(image), "RGBA") == image).all()


def test_same_pixels_same_bytes_whatever_the_memory_order() -> None:
    image = drawing()
    assert encode(image) == encode(image.copy())
    assert encode(image) == encode(np.asfortranarray(image))
    assert encode(image[::-1]) == encode(image[::-1].copy())


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4, 3)),
        np.zeros((4, 4, 3), np.int8),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((3, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused_with_their_type_and_shape(image: np.ndarray) -> None:
    with pytest.raises(ContractError) as caught:
        encode(image)
    assert str(image.shape) in str(caught.value)
    assert str(image.dtype) in str(caught.value)
