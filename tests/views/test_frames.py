from __future__ import annotations

import warnings
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tbtrace.episode import Episode, Media
from tbtrace.errors import ContractError
from tbtrace.views import Context, Picture
from tbtrace.views.frames import Frames

RED, GREEN = (220, 30, 30), (30, 200, 30)


def grid(place: int, side: int = 7) -> np.ndarray:
    """A small world with a red cell that moves along the upper row."""
    frame = np.full((side, side, 3), 90, np.uint8)
    frame[0, place % side] = RED
    frame[side - 1, 0] = GREEN
    return frame


def media(frames: list[np.ndarray], every: int = 1) -> Media:
    return Media((np.arange(len(frames)) * every).astype(np.int32), tuple(frames))


def episode(**told: Media) -> Episode:
    return Episode("e", 250, 31.4, media=told, split="train", iteration=12)


def draw(told: Episode, view: Frames | None = None, title: str = "best") -> Picture:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = (view or Frames()).draw([told], Context(), title)
    assert picture is not None
    return picture


def seen(picture: Picture) -> np.ndarray:
    image = Image.open(BytesIO(picture.png))
    assert image.size == (picture.width, picture.height)
    frames = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        frames.append(np.array(image.convert("RGB")))
    return np.array(frames)


def cells(image: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of what has a colour, past the end."""
    rows, columns = np.nonzero((image == colour).all(-1))
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def test_small_frames_are_enlarged_by_a_whole_factor_and_stay_exact() -> None:
    picture = draw(episode(camera=media([grid(place) for place in range(5)])))
    frames = seen(picture)
    assert frames.shape[0] == 5
    assert frames.shape[2] == 399, "57 times 7"
    for place, frame in enumerate(frames):
        world = frame[-399:]
        assert (world.reshape(7, 57, 7, 57, 3)[:, 0, :, 0] == grid(place)).all()
        assert (world == grid(place).repeat(57, axis=0).repeat(57, axis=1)).all()


def test_large_frames_are_averaged_and_keep_their_aspect() -> None:
    checks = np.zeros((600, 1200, 3), np.uint8)
    checks[::2, ::2] = checks[1::2, 1::2] = 200
    frames = seen(draw(episode(camera=media([checks, checks[::-1]]))))
    assert frames.shape[2] == 400
    world = frames[0, -200:]
    assert np.abs(world.astype(int) - 100).max() < 40
    assert abs(world.mean() - 100) < 3
    assert frames.shape[1] < 270


@pytest.mark.parametrize("size", [(240, 180), (400, 480), (1000, 300)])
@pytest.mark.parametrize("shape", [(7, 7), (84, 84), (210, 160), (480, 640), (3, 500), (500, 3)])
def test_pictures_are_never_larger_than_asked_for(
    size: tuple[int, int], shape: tuple[int, int]
) -> None:
    told = episode(camera=media([np.full((*shape, 3), 90, np.uint8)] * 3))
    for view in (Frames(size=size), Frames(size=size, strip=2)):
        picture = draw(told, view)
        assert picture.width <= size[0]
        assert picture.height <= size[1]
        assert (seen(picture)[0] == 90).all(-1).any()


def test_the_steps_are_those_of_the_frames() -> None:
    frames = [grid(0)] * 3
    same = seen(draw(episode(camera=media(frames, every=0))))
    assert (same == same[0]).all()
    told = seen(draw(episode(camera=media(frames, every=7))))
    assert (told[0][:-399] != told[1][:-399]).any()
    assert (told[:, -399:] == told[0, -399:]).all()
    assert (told[:, :, :200] == told[0, :, :200]).all(), "only the number changes"


def test_the_first_media_with_frames_is_shown_unless_one_is_named() -> None:
    numbers = media([np.zeros((4, 4))] * 3)
    told = episode(lidar=numbers, front=media([grid(1)]), back=media([grid(2)]))
    assert (seen(draw(told))[0][-399:, 60] == RED).all(-1).any()
    assert (seen(draw(told, Frames(media="back")))[0][-399:, 130] == RED).all(-1).any()
    assert Frames(media="lidar").draw([told], Context()) is None
    assert Frames(media="side").draw([told], Context()) is None


def test_nothing_to_draw_is_none() -> None:
    assert Frames().draw([], Context()) is None
    assert Frames().draw([episode()], Context()) is None
    assert Frames().draw([episode(camera=media([]))], Context()) is None
    empty = np.zeros((0, 4, 3), np.uint8)
    assert Frames().draw([episode(camera=media([empty]))], Context()) is None


def test_one_frame_is_a_still() -> None:
    picture = draw(episode(camera=media([grid(0)])))
    assert b"acTL" not in picture.png
    assert len(seen(picture)) == 1


def test_many_frames_are_thinned_evenly_and_the_text_says_so() -> None:
    frames = [np.full((4, 4, 3), place % 200, np.uint8) for place in range(601)]
    shown = seen(draw(episode(camera=media(frames))))
    assert len(shown) == 200
    values = shown[:, -1, 200, 0]
    places = [round(k * 600 / 199) for k in range(200)]
    assert (np.abs(values - np.array([place % 200 for place in places])) <= 7).all()
    few = seen(draw(episode(camera=media(frames[:200]))))
    assert shown.shape[1] > few.shape[1] - 1
    assert (shown[0, :68] != few[0, :68]).any(), "n of m frames"


def test_large_frames_are_fewer() -> None:
    frames = [np.full((480, 400, 3), 50, np.uint8)] * 60
    assert len(seen(draw(episode(camera=media(frames))))) == 43


def test_the_last_frame_stands_longer() -> None:
    image = Image.open(BytesIO(draw(episode(camera=media([grid(0), grid(1)])), Frames(fps=5)).png))
    durations = []
    for number in range(2):
        image.seek(number)
        durations.append(image.info["duration"])
    assert durations == [200.0, 1200.0]


@pytest.mark.parametrize("count", [1, 2, 5, 8, 30, 500])
def test_a_strip_shows_evenly_spaced_frames_in_reading_order(count: int) -> None:
    frames = [np.full((8, 10, 3), (200, place, 40), np.uint8) for place in range(0, 256, 5)]
    picture = draw(episode(camera=media(frames)), Frames(strip=count, size=(640, 480)))
    assert b"acTL" not in picture.png
    (image,) = seen(picture)
    found = []
    near = (np.abs(image.astype(int)[..., [0, 2]] - (200, 40)) <= 4).all(-1)
    row = 0
    while row < len(image):
        if near[row].any():
            starts = np.flatnonzero(np.diff(near[row].astype(int), prepend=0) == 1)
            found += [int(image[row, column, 1]) for column in starts]
            row += int(np.flatnonzero(~near[row:].any(1))[0])
        row += 1
    wanted = [255] if count == 1 else np.linspace(0, 51, min(count, 52)).round() * 5
    assert len(found) == min(count, 52)
    assert np.abs(np.array(found) - wanted).max() <= 4


@pytest.mark.parametrize("shape", [(20, 30), (210, 160), (400, 30), (30, 400)])
@pytest.mark.parametrize("count", [12, 80, 400])
def test_a_strip_shows_as_many_frames_as_there_is_room_for(
    shape: tuple[int, int], count: int
) -> None:
    frames = [np.full((*shape, 3), 90, np.uint8) for _ in range(count)]
    frames[0][:], frames[-1][:] = GREEN, RED
    picture = draw(episode(camera=media(frames, every=10)), Frames(strip=count))
    assert picture.width <= 400
    assert picture.height <= 480
    (image,) = seen(picture)
    assert (image == GREEN).all(-1).sum() == (image == RED).all(-1).sum() > 0
    assert (draw(episode(camera=media(frames)), Frames(strip=6)).png != picture.png) == (count > 6)


@pytest.mark.parametrize("view", [Frames(), Frames(strip=2)])
@pytest.mark.parametrize("shape", [(2000, 1), (1, 2000)])
def test_frames_of_one_row_or_column_are_reduced(view: Frames, shape: tuple[int, int]) -> None:
    frames = [np.full((*shape, 3), RED, np.uint8)] * 2
    picture = draw(episode(camera=media(frames)), view)
    assert picture.width <= 400
    assert picture.height <= 480
    assert (seen(picture) == RED).all(-1).any()


def test_a_strip_keeps_photographs_as_they_are() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 120, 3), np.uint8)
    (image,) = seen(draw(episode(camera=media([noise])), Frames(strip=1, size=(250, 260))))
    assert any(
        (image[row : row + 100, column : column + 120] == noise).all()
        for row in range(image.shape[0] - 99)
        for column in range(image.shape[1] - 119)
    )


def test_an_animation_of_photographs_stays_small() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (5, 300, 400, 3), np.uint8)
    picture = draw(episode(camera=media(list(noise))))
    assert len(picture.png) < noise.size / 2
    assert Image.open(BytesIO(picture.png)).mode == "P"


def test_frames_of_different_shapes_stand_in_the_middle() -> None:
    frames = [np.full((10, 10, 3), RED, np.uint8), np.full((10, 40, 3), GREEN, np.uint8)]
    first, second = seen(draw(episode(camera=media(frames))))
    top, bottom, left, right = cells(first, RED)
    assert (bottom - top, right - left) == (400, 400)
    top, bottom, left, right = cells(second, GREEN)
    assert (bottom - top, right - left) == (100, 400)
    assert abs((top + bottom) / 2 - (first.shape[0] - 200)) <= 1


def test_dangerous_titles_and_names_are_drawn() -> None:
    for name in ["$x_", "日本語", "\U0001f600", "\ud800", "", "n" * 5000, "a\nb", "a/b"]:
        for view in (Frames(), Frames(strip=3)):
            image = seen(draw(episode(**{name: media([grid(0)] * 4)}), view, title=name))[0]
            assert (image[:40, -4:] == 255).all()


def test_drawing_is_deterministic_and_changes_nothing() -> None:
    frames = [grid(place) for place in range(5)]
    told = episode(camera=media(frames))
    first = draw(told)
    assert draw(told) == first
    assert (first.title, len(first.description) > 40) == ("best", True)
    assert all((frame == grid(place)).all() for place, frame in enumerate(frames))


@pytest.mark.parametrize("option", [{"strip": 0}, {"fps": 0}, {"size": (100, 100)}])
def test_wrong_options_are_refused(option: dict[str, int]) -> None:
    with pytest.raises(ContractError, match=next(iter(option))):
        Frames(**option)  # type: ignore[arg-type]
