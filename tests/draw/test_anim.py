"""Animated PNGs, read back by Pillow."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from tbtrace.draw import png
from tbtrace.draw.anim import encode, encode_indexed
from tbtrace.errors import ContractError


def decoded(data: bytes) -> np.ndarray:
    """Returns the frames as they are seen, `(n, height, width, 4)`."""
    image = Image.open(BytesIO(data))
    frames = []
    for place in range(image.n_frames):
        image.seek(place)
        frames.append(np.array(image.convert("RGBA")))
    return np.array(frames)


def opaque(frames: np.ndarray) -> np.ndarray:
    if frames.shape[-1] == 4:
        return frames
    return np.concatenate([frames, np.full((*frames.shape[:3], 1), 255, np.uint8)], axis=-1)


def chunks(data: bytes) -> list[tuple[str, bytes]]:
    found, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        assert checksum == zlib.crc32(name + body)
        found.append((name.decode(), body))
        at += 12 + length
    return found


def ball(count: int = 4) -> np.ndarray:
    frames = np.full((count, 24, 32, 3), 255, np.uint8)
    for place, frame in enumerate(frames):
        frame[10:14, place * 5 : place * 5 + 4] = (0, 114, 178)
    return frames


def noise(count: int = 3, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 20, 30, channels), np.uint8)


SIZES = st.tuples(st.integers(2, 4), st.integers(1, 6), st.integers(1, 6), st.sampled_from([3, 4]))


@given(
    frames=st.one_of(
        arrays.arrays(np.uint8, SIZES, elements=st.sampled_from([0, 1, 128, 255])),
        arrays.arrays(np.uint8, SIZES),
    )
)
def test_every_pixel_comes_back(frames: np.ndarray) -> None:
    assert (decoded(encode(frames)) == opaque(frames)).all()


@pytest.mark.parametrize("frames", [ball(), noise(), noise(channels=4)])
def test_larger_frames_come_back(frames: np.ndarray) -> None:
    assert (decoded(encode(frames)) == opaque(frames)).all()


def test_the_chunks_are_those_of_an_apng() -> None:
    found = chunks(encode(ball(3), fps=8))
    names = [name for name, _ in found]
    assert names == [
        *("IHDR", "acTL", "PLTE", "fcTL", "IDAT"),
        *("fcTL", "fdAT", "fcTL", "fdAT", "IEND"),
    ]
    assert struct.unpack(">2I", found[1][1]) == (3, 0)
    controls = [struct.unpack(">5I2H2B", body) for name, body in found if name == "fcTL"]
    assert controls[0] == (0, 32, 24, 0, 0, 125, 1000, 0, 0)
    assert controls[1] == (1, 9, 4, 0, 10, 125, 1000, 0, 0)
    numbers = [
        struct.unpack_from(">I", body)[0] for name, body in found if name in ("fcTL", "fdAT")
    ]
    assert numbers == [0, 1, 2, 3, 4]


def test_few_colours_are_stored_as_a_palette_and_many_are_not() -> None:
    assert Image.open(BytesIO(encode(ball()))).mode == "P"
    assert Image.open(BytesIO(encode(noise()))).mode == "RGB"
    assert Image.open(BytesIO(encode(noise(channels=4)))).mode == "RGBA"


def test_exactly_256_colours_fit_the_palette() -> None:
    frames = np.zeros((2, 16, 16, 3), np.uint8)
    frames[0, ..., 0] = np.arange(256).reshape(16, 16)
    frames[1] = frames[0][::-1]
    assert Image.open(BytesIO(encode(frames))).mode == "P"
    frames[1, 0, 0] = (0, 1, 0)
    assert Image.open(BytesIO(encode(frames))).mode == "RGB"
    assert (decoded(encode(frames)) == opaque(frames)).all()


def test_transparent_colours_are_kept_and_full_opacity_dropped() -> None:
    frames = opaque(ball())
    assert encode(frames) == encode(ball())
    frames[1:, 2:5, 2:5, 3] = 90
    data = encode(frames)
    assert "tRNS" in dict(chunks(data))
    assert (decoded(data) == frames).all()


def test_frames_that_stand_still_cost_next_to_nothing() -> None:
    still = np.repeat(noise(1), 10, axis=0)
    data = encode(still)
    assert len(data) < len(encode(noise(2)))
    assert decoded(data).shape == (10, 20, 30, 4)


def test_same_pixels_same_bytes_whatever_the_memory_order() -> None:
    frames = ball()
    assert encode(frames) == encode(frames.copy()) == encode(np.asfortranarray(frames))
    assert encode(frames[::-1]) == encode(frames[::-1].copy())


def test_one_frame_is_a_picture() -> None:
    assert encode(ball(1)) == png.encode(ball(1)[0], lossless=True)


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((2, 4, 4, 3)),
        np.zeros((2, 4, 4, 2), np.uint8),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((0, 4, 4, 3), np.uint8),
        np.zeros((2, 0, 4, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused_with_their_type_and_shape(frames: np.ndarray) -> None:
    with pytest.raises(ContractError) as caught:
        encode(frames)
    assert str(frames.shape) in str(caught.value)
    assert str(frames.dtype) in str(caught.value)


@pytest.mark.parametrize("fps", [0, -1, 0.01, 2000, float("nan"), float("inf")])
def test_other_speeds_are_refused(fps: float) -> None:
    with pytest.raises(ContractError, match="fps"):
        encode(ball(), fps)


PALETTE = np.array([(9, 9, 9), (255, 255, 255), (0, 114, 178), (213, 94, 0)], np.uint8)
PLACES = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 6))


@given(frames=arrays.arrays(np.uint8, PLACES, elements=st.integers(1, 3)))
def test_every_place_in_the_palette_comes_back(frames: np.ndarray) -> None:
    got = decoded(encode_indexed(iter(frames), PALETTE, fps=10))
    assert (got == opaque(PALETTE[frames])).all()


def test_a_frame_may_be_changed_once_the_next_is_asked_for() -> None:
    def reused() -> Iterator[np.ndarray]:
        canvas = np.ones((5, 8), np.uint8)
        for column in range(3):
            canvas[2, column] = 2
            yield canvas

    seen = decoded(encode_indexed(reused(), PALETTE, fps=10))
    assert [(frame[2, :3, 0] == 0).sum() for frame in seen] == [1, 2, 3]


def test_pixels_that_stay_cost_nothing() -> None:
    still = np.random.default_rng(0).integers(1, 4, (60, 80), np.uint8)
    other = still.copy()
    other[[0, -1], [0, -1]] = still[[0, -1], [0, -1]] % 3 + 1
    parts = [
        body
        for name, body in chunks(encode_indexed([still, other], PALETTE, 10))
        if name.endswith("AT")
    ]
    first, second = parts[-2], parts[-1]
    assert len(second) < len(first) / 10


@pytest.mark.parametrize("hold", [0.0, 1.5, 100.0])
def test_the_last_frame_stands_longer(hold: float) -> None:
    for data in (
        encode(ball(3), 10, hold),
        encode_indexed([*map(np.full, [(4, 4)] * 3, [1, 2, 3])], PALETTE, 10, hold),
    ):
        controls = [struct.unpack(">5I2H2B", body) for name, body in chunks(data) if name == "fcTL"]
        assert [control[5] for control in controls] == [100, 100, min(100 + 1000 * hold, 65535)]


def test_no_frames_are_refused() -> None:
    with pytest.raises(ContractError, match="no frames"):
        encode_indexed([], PALETTE, 10)
    with pytest.raises(ContractError, match="fps"):
        encode_indexed([np.ones((2, 2), np.uint8)], PALETTE, 0)
