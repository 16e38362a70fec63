from __future__ import annotations

import math
import pickle
import warnings
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tbtrace.draw import trails
from tbtrace.episode import Episode, Scene, Trace
from tbtrace.errors import ContractError
from tbtrace.views import Context, Picture
from tbtrace.views.animation import Animation

BLUE = (0, 114, 178)
GAP = (math.nan, math.nan)
EXTENT = (0.0, 100.0, 0.0, 60.0)
LEFT, TOP, RIGHT, BOTTOM = range(4)


def trace(points: object, steps: object = None) -> Trace:
    array = np.array(points, float).reshape(-1, len(points[0]) if len(points) else 2)  # type: ignore
    told = np.arange(len(array)) if steps is None else np.array(steps)
    return Trace(told.astype(np.int32), array)


def episode(scene: Scene | None = None, **groups: dict[str, Trace]) -> Episode:
    return Episode("e", 250, 31.4, traces=groups, scene=scene, split="train", iteration=12)


def draw(told: Episode, view: Animation | None = None) -> Picture:
    context = Context()
    context.observe([told])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = (view or Animation()).draw([told], context, "best")
    assert picture is not None
    return picture


def frames_of(picture: Picture) -> np.ndarray:
    image = Image.open(BytesIO(picture.png))
    frames = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        frames.append(np.array(image.convert("RGB")))
    return np.array(frames)


def near(image: np.ndarray, colour: tuple[int, int, int], by: int = 12) -> np.ndarray:
    return (np.abs(image.astype(int) - colour) <= by).all(-1)


def shade(strength: float) -> tuple[int, int, int]:
    red, green, blue = (round(255 - strength * (255 - part)) for part in BLUE)
    return red, green, blue


def box_of(image: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the frame: the longest grey lines."""
    grey = near(image, (138, 138, 138))
    columns = np.nonzero(grey.sum(0) > grey.sum(0).max() * 0.9)[0]
    rows = np.nonzero(grey.sum(1) > grey.sum(1).max() * 0.9)[0]
    return columns[0], rows[0], columns[-1], rows[-1]


def at(image: np.ndarray, x: float, y: float) -> tuple[int, int]:
    """Row and column of a point of a scene with `EXTENT`, by measuring the frame."""
    left, top, right, bottom = box_of(image)
    return round(bottom - y / 60 * (bottom - top)), round(left + x / 100 * (right - left))


def around(image: np.ndarray, mask: np.ndarray, x: float, y: float, by: int = 2) -> np.ndarray:
    row, column = at(image, x, y)
    return mask[row - by : row + by + 1, column - by : column + by + 1]


def walk(seed: int, n: int = 200) -> Trace:
    return trace(np.cumsum(np.random.default_rng(seed).normal(size=(n, 2)), axis=0).tolist())


def nameless(count: int) -> dict[str, Trace]:
    """So many that there is no legend; all but the first stand in a corner."""
    return {str(i): trace([(95, 5), (95, 5)]) for i in range(count)}


def test_the_head_is_where_the_entity_is_and_the_trail_behind_it() -> None:
    way = trace([(10 + 8 * i, 10 + 4 * i) for i in range(11)])
    frames = frames_of(draw(episode(Scene(extent=EXTENT), robots={"a": way}), Animation(trail=4)))
    assert len(frames) == 11
    for step, frame in enumerate(frames):
        x, y = 10 + 8 * step, 10 + 4 * step
        assert around(frame, near(frame, BLUE), x, y, 1).all(), step
        trail = near(frame, shade(0.62)) | near(frame, shade(0.3))
        if step >= 2:
            assert around(frame, trail, x - 12, y - 6).any(), "the trail"
        if step >= 6:
            assert not around(frame, trail, x - 44, y - 22, 3).any(), "the trail has faded"
        if step < 10:
            assert (around(frame, frame.min(-1), x + 8, y + 4, 1) > 200).all(), "not there yet"


def test_trails_fade() -> None:
    way = trace([(5 + i, 30) for i in range(90)])
    frame = frames_of(draw(episode(Scene(extent=EXTENT), r={"a": way}), Animation(trail=40)))[-1]
    assert around(frame, near(frame, shade(0.62)), 82, 30).any()
    assert around(frame, near(frame, shade(0.3)), 62, 30).any()
    assert not (around(frame, frame.min(-1), 45, 30, 3) < 200).any()


def test_no_trail_across_a_gap_and_no_head_in_it() -> None:
    way = trace([(20, 10), (20, 50), GAP, (80, 50), (90, 50)])
    frames = frames_of(draw(episode(Scene(extent=EXTENT), robots={"a": way}), Animation(trail=9)))
    assert not near(frames[2][60:], BLUE, 40)[:, :250].any(), "no head in the gap"
    for frame in frames:
        coloured = np.ptp(frame.astype(int), axis=-1) > 20
        assert not around(frame, coloured, 50, 50, 8).any(), "a trail across the gap"
    assert around(frames[2], near(frames[2], shade(0.3), 100), 20, 30).any(), "the trail stays"


def test_gaps_between_frames_are_gaps() -> None:
    points = [(20, 30)] * 30 + [GAP] + [(80, 30)] * 30
    frames = frames_of(
        draw(episode(Scene(extent=EXTENT), r={"a": trace(points)}), Animation(frames=3))
    )
    assert len(frames) == 3
    for frame in frames:
        assert not around(frame, np.ptp(frame.astype(int), axis=-1) > 20, 50, 30, 8).any()


def test_the_trail_follows_the_way_between_frames() -> None:
    corner = [(20, 10 + i) for i in range(40)] + [(20 + i, 50) for i in range(60)]
    told = episode(Scene(extent=EXTENT), r={"a": trace(corner)})
    frames = frames_of(draw(told, Animation(frames=2, trail=200)))
    coloured = np.ptp(frames[-1].astype(int), axis=-1) > 20
    assert around(frames[-1], coloured, 20, 40).any()
    assert around(frames[-1], coloured, 40, 50).any()
    assert not around(frames[-1], coloured, 50, 30, 6).any(), "a short cut"


def test_entities_that_come_late_and_steps_that_say_nothing() -> None:
    late = trace([(20, 30), (20, 30), GAP], [4, 6, 8])
    clock = trace([(90, 5)] * 11)
    frames = frames_of(draw(episode(Scene(extent=EXTENT), r={"a": late, "b": clock})))
    seen = [around(frame, near(frame, BLUE), 20, 30, 1).all() for frame in frames]
    assert seen == [4 <= step < 8 for step in range(11)]


def test_frames_are_evenly_spaced_and_the_last_stands_longer() -> None:
    image = Image.open(
        BytesIO(draw(episode(r={"a": walk(0, 1000)}), Animation(frames=10, fps=5)).png)
    )
    assert image.n_frames == 10
    durations = []
    for number in range(10):
        image.seek(number)
        durations.append(image.info["duration"])
    assert durations == [200.0] * 9 + [1200.0]


def test_the_counter_and_the_line_of_time_move() -> None:
    frames = frames_of(draw(episode(r={"a": walk(0)})))
    assert (frames[0][26:46, 250:] != frames[-1][26:46, 250:]).any()
    grown = [int((frame[0, :, 0] < 200).sum()) for frame in frames]
    assert grown == sorted(grown)
    assert grown[-1] == 350
    assert (frames[:, 3:46, :250] == frames[0, 3:46, :250]).all(), "the rest of the text stands"


def test_colours_are_those_of_the_context() -> None:
    told = episode(r={"a": walk(0), "b": walk(1)})
    context = Context()
    context.observe([told])
    picture = Animation().draw([episode(r={"b": walk(1)})], context)
    assert picture is not None
    last = frames_of(picture)[-1]
    assert near(last, (213, 94, 0)).sum() > 30
    assert not near(last, BLUE).any()


def test_only_the_asked_group_is_drawn() -> None:
    told = episode(robots={"a": walk(0)}, cars={"b": walk(1)})
    assert not near(frames_of(draw(told, Animation(group="cars"))), BLUE).any()


def test_the_background_is_under_it() -> None:
    floor = np.full((60, 100, 3), 255, np.uint8)
    floor[:30] = (255, 160, 160)
    scene = Scene(background=floor, extent=EXTENT, places={"dock": (50.0, 15.0)})
    for frame in frames_of(draw(episode(scene, r={"a": trace([(10, 45), (90, 45)])}))):
        red, green, _ = frame[at(frame, 30, 52)].astype(int)
        assert red > green + 20
        assert (frame[at(frame, 30, 5)] > 245).all()


def test_nothing_to_draw_is_none() -> None:
    view, context = Animation(group="cars"), Context()
    assert Animation().draw([], context) is None
    assert view.draw([episode(robots={"a": walk(0)})], context) is None
    assert view.draw([episode(cars={})], context) is None
    assert view.draw([episode(cars={"a": trace([GAP, (math.inf, 1), GAP])})], context) is None
    assert view.draw([episode(cars={"a": trace([])})], context) is None


ODD = {
    "one point": [(3.0, 4.0)],
    "same": [(7.0, 7.0)] * 9,
    "nan in between": [(1.0, 1.0), GAP, (2.0, math.inf), (3.0, 3.0)],
    "deep": [(1.0, 1.0, 5.0), (2.0, 2.0, math.nan)],
    "utm": [(500_000.0, 5_000_000.0), (500_800.0, 5_000_400.0)],
    "tiny": [(0.0, 0.0), (1e-9, 2e-9)],
    "huge": [(-1e308, 0.0), (0.0, 0.0), (1e308, 1e308)],
    "far point": [(1e15, 1e15)] * 2,
    "road": [(8.0 * i, math.sin(i)) for i in range(50)],
}


@pytest.mark.parametrize("name", ODD)
def test_odd_coordinates_are_drawn(name: str) -> None:
    frames = frames_of(draw(episode(r={"a": trace(ODD[name])})))
    assert frames.shape[1:] == (300, 350, 3)
    assert len(frames) == len(ODD[name])
    if name != "huge":
        assert near(frames[0], BLUE)[60:].sum() > 30


def test_one_frame_is_a_still_of_the_end() -> None:
    picture = draw(
        episode(Scene(extent=EXTENT), r={"a": trace([(20, 30), (70, 30)])}), Animation(frames=1)
    )
    assert b"acTL" not in picture.png
    (frame,) = frames_of(picture)
    assert around(frame, near(frame, BLUE), 70, 30, 1).all()


def test_ten_thousand_entities_move() -> None:
    ways = np.random.default_rng(0).uniform(0, 60, (10_000, 1, 2)) + np.linspace(0, 9, 12)[:, None]
    told = episode(
        Scene(extent=EXTENT), r={str(i): trace(way.tolist()) for i, way in enumerate(ways)}
    )
    frames = frames_of(draw(told))
    assert len(frames) == 12
    coloured = (np.ptp(frames.astype(int), axis=-1) > 30).sum((1, 2))
    assert coloured.min() > 5_000
    assert (frames[0] != frames[-1]).any()


def test_dangerous_names_are_drawn() -> None:
    names = ["$x_", "a/b", "日本語", "\U0001f600", "\ud800", "", "n" * 5000, "a\nb"]
    for name in names:
        told = episode(Scene(axes=("$x_", "a^b")), **{name: {name: walk(0, 20)}})
        frames = frames_of(draw(told, Animation(name="$")))
        assert (frames[:, -2:] == 255).all()
        assert (frames[:, 10:, :2] == 255).all()


def test_narrow_pictures_keep_the_text_apart() -> None:
    frames = frames_of(draw(episode(r={"a": walk(0)}), Animation(size=(240, 180))))
    assert frames.shape[1:] == (180, 240, 3)
    steps = np.nonzero((frames[-1][28:42] < 128).all(-1).any(0))[0]
    assert np.diff(steps).max() >= 10, "title and counter do not touch"


def test_drawing_is_deterministic_and_pure() -> None:
    told = episode(Scene(units="m"), robots={"a": walk(0), "b": walk(1)})
    context = Context()
    context.observe([told])
    before = pickle.dumps((context, told))
    first = Animation().draw([told], context, "best")
    assert Animation().draw([told], context, "best") == first
    assert pickle.dumps((context, told)) == before
    assert first is not None
    assert (first.width, first.height, first.title) == (350, 300, "best")
    assert "step" in first.description


@pytest.mark.parametrize("option", [{"frames": 0}, {"trail": 0}, {"fps": 0}, {"size": (100, 100)}])
def test_wrong_options_are_refused(option: dict[str, int]) -> None:
    with pytest.raises(ContractError, match=next(iter(option))):
        Animation(**option)  # type: ignore[arg-type]


def test_the_counter_is_below_the_first_line_even_where_all_would_fit_there() -> None:
    bare = Episode("e", 3, 1.0, traces={"r": {str(i): walk(i) for i in range(9)}})
    frames = frames_of(draw(bare))
    changed = np.nonzero((frames[0, 4:] != frames[-1, 4:]).any((1, 2)))[0] + 4
    _, top, _, _ = box_of(frames[0])
    above = changed[changed < top]
    assert above.min() >= 26
    assert above.max() < top - 2


def test_the_legend_leaves_the_caption_whole() -> None:
    def head(count: int) -> np.ndarray:
        traces = {f"agv {i}": trace([(0.0, 0.0), (9.0, float(i))]) for i in range(count)}
        told = Episode("e", 12_000, -1234.5, traces={"agvs": traces}, split="evaluation")
        told.iteration = 1250
        return frames_of(draw(told))[0][4:44]

    whole = head(7)  # so many have no legend
    for count in (1, 2, 3):
        assert (head(count) == whole).all()


def test_frames_are_the_same_however_many_are_worked_out_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = [(20 + math.sin(i / 9) * 20, 5 + i / 8) if i % 90 < 70 else GAP for i in range(400)]
    told = episode(Scene(extent=EXTENT), r={"a": trace(points), "b": walk(0, 300)})
    together = draw(told, Animation(frames=30))
    for bound in (1, 40, 100):
        monkeypatch.setattr(trails, "_AT_ONCE", bound)
        assert draw(told, Animation(frames=30)) == together
