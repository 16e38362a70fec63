from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tbtrace.draw.quantise import indexed, runs

SIZES = st.tuples(st.integers(1, 7), st.integers(1, 7), st.sampled_from([3, 4]))


def photo(seed: int = 0) -> np.ndarray:
    small = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    return np.array(Image.fromarray(small).resize((160, 120), Image.Resampling.BICUBIC))


@given(image=arrays.arrays(np.uint8, SIZES, elements=st.sampled_from([0, 1, 255])))
def test_runs_spell_the_image(image: np.ndarray) -> None:
    colours, lengths = runs(image)
    spelled = np.repeat(colours, lengths, axis=0).reshape(*image.shape[:2], 4)
    assert (spelled[..., : image.shape[2]] == image).all()
    assert (colours[1:] != colours[:-1]).any(1).all()
    assert (lengths > 0).all()


def test_few_colours_stay_exact() -> None:
    drawing = np.random.default_rng(0).choice([0, 31, 119, 255], (40, 50, 3)).astype(np.uint8)
    found = indexed([drawing])
    assert found is not None
    (places,), palette = found
    assert (palette[places] == drawing).all()
    assert (np.diff(np.bincount(places.ravel())) <= 0).all(), "the most frequent first"


def test_many_colours_stay_near_and_the_palette_small() -> None:
    shades = np.add.outer(np.arange(200), np.arange(300))[..., None] // [2, 3, 4]
    drawing = shades.astype(np.uint8)
    found = indexed([drawing], most=100)
    assert found is not None
    (places,), palette = found
    assert len(palette) <= 100
    assert np.abs(palette[places].astype(int) - drawing).max() <= 16


def test_photographs_are_refused_unless_any_error_will_do() -> None:
    assert indexed([photo()]) is None
    found = indexed([photo()], largest_error=np.inf)
    assert found is not None
    (places,), palette = found
    assert np.abs(palette[places].astype(int) - photo()).mean() < 16


def test_several_images_share_one_palette() -> None:
    drawings = [np.full((4, 5 + shift, 3), 40 * shift, np.uint8) for shift in range(6)]
    found = indexed(drawings)
    assert found is not None
    places, palette = found
    assert len(palette) == 6
    for drawing, one in zip(drawings, places, strict=True):
        assert (palette[one] == drawing).all()


@pytest.mark.parametrize("image", [photo(), photo()[::-1], np.asfortranarray(photo())])
def test_the_memory_order_does_not_matter(image: np.ndarray) -> None:
    found, copied = indexed([image], largest_error=np.inf), indexed([image.copy("C")], 256, np.inf)
    assert found is not None
    assert copied is not None
    assert (found[0][0] == copied[0][0]).all()
    assert (found[1] == copied[1]).all()
