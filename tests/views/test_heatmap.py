from __future__ import annotations

import math
import pickle
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tbtrace.draw.ramp import CHANGE, CROWD
from tbtrace.episode import Episode, Scene, Trace
from tbtrace.plan import plan, shown
from tbtrace.views import Context, Heatmap, Picture

GAP = (math.nan, math.nan)
EXTENT = (0.0, 100.0, 0.0, 60.0)


def trace(points: object, steps: object = None) -> Trace:
    array = np.array(points, float)
    return Trace(np.array(range(len(array)) if steps is None else steps, np.int32), array)


def episode(uid: str = "e", iteration: int = 1, **groups: dict[str, Trace]) -> Episode:
    return Episode(
        uid,
        250,
        31.4,
        traces=groups,
        scene=Scene(extent=EXTENT, units="m"),
        split="train",
        iteration=iteration,
    )


def draw(*told: Episode, view: Heatmap | None = None, context: Context | None = None) -> Picture:
    context = context or Context()
    context.observe(told)
    picture = (view or Heatmap()).draw(told, context, "all")
    assert picture is not None
    return picture


def pixels(picture: Picture) -> np.ndarray:
    return np.array(Image.open(BytesIO(picture.png)).convert("RGB"))


def near(image: np.ndarray, colour: str) -> np.ndarray:
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return (np.abs(image.astype(int) - rgb) <= 8).all(-1)


def inside(image: np.ndarray) -> np.ndarray:
    """What the frame encloses, without the bar."""
    grey = near(image, "#8a8a8a")
    columns = np.nonzero(grey.sum(0) > 150)[0]
    rows = np.nonzero(grey.sum(1) > 300)[0]
    widest = np.diff(columns).argmax()
    return image[rows[0] + 3 : rows[-1] - 2, columns[widest] + 3 : columns[widest + 1] - 2]


def place(marked: np.ndarray) -> tuple[float, float]:
    """The middle of the marked pixels in the coordinates of `EXTENT`."""
    rows, columns = np.nonzero(marked)
    high, wide = marked.shape
    return columns.mean() / wide * 100, (1 - rows.mean() / high) * 60


def test_the_darkest_place_is_where_most_time_went() -> None:
    told = episode(r={"a": trace([(20, 10), GAP, (70, 50), GAP], [0, 200, 201, 203])})
    image = inside(pixels(draw(told)))
    assert place(near(image, CROWD[-1])) == pytest.approx((20, 10), abs=1.5)
    colourful = np.ptp(image.astype(int), axis=-1) > 60
    assert place(colourful) == pytest.approx((70, 50), abs=1.5)
    assert colourful.sum() < 60, "time in the gap"


def test_a_move_is_drawn_all_along() -> None:
    image = inside(pixels(draw(episode(r={"a": trace([(10, 30), (90, 30)])}))))
    coloured = np.ptp(image.astype(int), axis=-1) > 40
    assert coloured.any(0)[int(0.11 * image.shape[1]) : int(0.89 * image.shape[1])].all()
    assert np.ptp(np.nonzero(coloured)[0]) < 8


def test_all_episodes_and_groups_count_unless_told_otherwise() -> None:
    one = episode("e1", r={"a": trace([(20, 10)] * 9)})
    two = episode("e2", s={"b": trace([(70, 50)] * 9)})
    both = inside(pixels(draw(one, two)))
    assert place(np.ptp(both.astype(int), axis=-1) > 40) == pytest.approx((45, 30), abs=2)
    alone = inside(pixels(draw(one, two, view=Heatmap(group="s"))))
    assert place(near(alone, CROWD[-1])) == pytest.approx((70, 50), abs=2)


def test_one_picture_a_split_of_all_whole_episodes() -> None:
    told = [episode(f"e{i}", r={"a": trace([(i, i)])}) for i in range(4)]
    (planned,) = plan([Heatmap()], told, {}, None)
    assert planned.tag == "traces/heatmap/train/all"
    assert {one.uid for one in shown(planned, told)} == {"e0", "e1", "e2", "e3"}
    assert [one.uid for one in shown(planned._replace(view=Heatmap(together=False)), told)] == [
        planned.episode.uid
    ]


def test_the_difference_is_red_where_more_time_goes_now() -> None:
    context = Context()
    draw(episode("e1", r={"a": trace([(20, 10)] * 9)}), context=context)
    middle = episode("e2", 2, r={"a": trace([(50, 30)] * 9)})
    context.observe([middle])
    later = episode("e3", 3, r={"a": trace([(70, 50)] * 9)})
    image = inside(pixels(draw(later, view=Heatmap(difference=True), context=context)))
    assert place(near(image, CHANGE[-1])) == pytest.approx((70, 50), abs=2)
    assert place(near(image, CHANGE[0])) == pytest.approx((20, 10), abs=2), "of the first iteration"


def test_the_first_iteration_lasts_through_a_pickle_and_outside_its_extent() -> None:
    context = Context()
    context.observe([episode("e1", r={"a": trace([(20, 10)] * 9)})])
    context = pickle.loads(pickle.dumps(context))
    far = episode("e2", 2, r={"a": trace([(190, 10)] * 9)})
    image = pixels(draw(far, view=Heatmap(difference=True), context=context))
    assert near(image, CHANGE[0]).sum() > 20
    assert near(image, CHANGE[-1]).sum() > 20


def test_no_change_is_pale() -> None:
    told = episode(r={"a": trace([(20, 10)] * 9 + [(80, 10)])})
    image = inside(pixels(draw(told, view=Heatmap(difference=True))))
    assert (image.min(-1) > 190).all()


def test_splits_have_first_iterations_of_their_own() -> None:
    context = Context()
    context.observe([episode(r={"a": trace([(1, 1)])})])
    assert context.first_heat("train") is not None
    assert context.first_heat("evaluation") is None
    assert context.first_heat("train", "s") is None


def test_nothing_to_draw_is_none() -> None:
    context = Context()
    assert Heatmap().draw([episode()], context) is None
    assert Heatmap().draw([episode(r={"a": trace([GAP])})], context) is None
    assert Heatmap(group="s").draw([episode(r={"a": trace([(1, 1)])})], context) is None
    assert Heatmap(difference=True).draw([episode(r={"a": trace([(1, 1)])})], context) is None
    assert Heatmap().draw([], context) is None


def test_drawing_is_deterministic_and_pure() -> None:
    told = episode(r={"a": trace(np.random.default_rng(0).uniform(0, 50, (99, 2)))})
    context = Context()
    context.observe([told])
    before = pickle.dumps(context)
    for view in (Heatmap(), Heatmap(difference=True)):
        assert view.draw([told], context) == view.draw([told], context)
    assert pickle.dumps(context) == before


ODD = {
    "point": [(3.0, 4.0)],
    "same": [(7.0, 7.0)] * 9,
    "tiny": [(0.0, 0.0), (1e-9, 2e-9)],
    "utm": [(500_000.0, 5_000_000.0), (500_800.0, 5_000_400.0)],
    "road": np.column_stack([np.linspace(0, 400, 50), np.sin(np.arange(50)) * 5]),
    "space": [(0.0, 0.0, 5.0), (9.0, 9.0, 6.0)],
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("difference", [False, True])
@pytest.mark.parametrize("name", ODD)
def test_odd_coordinates_are_drawn_without_a_warning(name: str, difference: bool) -> None:
    told = Episode("e", 9, 1.0, traces={"r\ud800/日本": {"a": trace(ODD[name])}})
    for size in ((640, 480), (240, 180)):
        picture = draw(told, view=Heatmap(size=size, difference=difference))
        assert pixels(picture).shape == (size[1], size[0], 3)


@pytest.mark.filterwarnings("error")
def test_what_lies_beyond_all_limits_is_left_out() -> None:
    told = Episode("e", 9, 1.0, traces={"r": {"a": trace([(-1e308, 0.0), (1e308, 1e308)])}})
    context = Context()
    context.observe([told])
    assert Heatmap().draw([told], context) is None


def test_a_single_point_is_as_dark_as_all_of_the_time() -> None:
    image = inside(pixels(draw(episode(robots={"r": trace([(50.0, 30.0)])}))))
    assert near(image, CROWD[-1]).any()


def test_a_crowd_does_not_differ_from_itself() -> None:
    rng = np.random.default_rng(0)
    starts = rng.uniform((10, 10), (90, 50), (250, 2))
    crowd = {f"w{i}": trace(at + rng.normal(size=(1000, 2))) for i, at in enumerate(starts)}
    told = episode(walkers=crowd)
    image = inside(pixels(draw(told, view=Heatmap(difference=True, group="walkers"))))
    saturation = np.ptp(image.astype(int), axis=-1)
    assert saturation.max() < 20
