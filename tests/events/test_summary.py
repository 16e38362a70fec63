from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from boards import in_both_modes
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import (
    DATA_CLASS_BLOB_SEQUENCE,
    DATA_CLASS_TENSOR,
    SummaryMetadata,
)
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_DOUBLE, DT_STRING
from tensorboard.plugins.histogram import metadata as histogram_metadata
from tensorboard.plugins.histogram.summary import histogram_pb
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.text.summary import text_pb
from tensorboard.util.tensor_util import make_ndarray
from tensorboard_server import Board, serve

from tbtrace.errors import ContractError
from tbtrace.events import summary
from tbtrace.events.file import EventFile

STEPS = st.integers(-(1 << 63), (1 << 63) - 1)
TEXTS = st.text() | st.text(st.characters(categories=["Cs"]))  # lone surrogates too
BUCKETS = np.array([[0.0, 0.5, 3.0], [0.5, 1.0, 0.0], [1.0, 1.5, 4.0]])


def value_of(event: bytes):
    (value,) = Event.FromString(event).summary.value
    return value


def said(text: str) -> str:
    """What is left of `text` in UTF-8."""
    return text.encode(errors="replace").decode()


def assert_same(event: bytes, official: Event) -> None:
    """Compares all fields, known or not, by their bytes: NaN is not equal to itself."""
    ours = Event.FromString(event)
    assert ours.SerializeToString(deterministic=True) == official.SerializeToString(
        deterministic=True
    )


def official_tensor(
    step: int,
    tag: str,
    plugin: str,
    dtype: int,
    shape: tuple[int, ...],
    metadata: Mapping[str, object],
    **content: object,
) -> Event:
    dims = [TensorShapeProto.Dim(size=size) for size in shape]
    tensor = TensorProto(dtype=dtype, tensor_shape=TensorShapeProto(dim=dims), **content)
    plugin_data = SummaryMetadata.PluginData(plugin_name=plugin)
    event = Event(wall_time=1.5, step=step)
    event.summary.value.add(
        tag=tag, tensor=tensor, metadata=SummaryMetadata(plugin_data=plugin_data, **metadata)
    )
    return event


def png(width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, "PNG")
    return file.getvalue()


def test_scalars_share_one_event() -> None:
    event = Event.FromString(summary.scalars(7, {"a": 0.25, "b/c": -1.0}))
    assert event.step == 7
    values = {value.tag: value.simple_value for value in event.summary.value}
    assert values == {"a": 0.25, "b/c": -1.0}


@given(STEPS, st.dictionaries(TEXTS, st.floats(width=32) | st.booleans()))
def test_scalars_are_what_tensorboards_protos_say(step: int, values: dict[str, float]) -> None:
    official = Event(wall_time=1.5, step=step)
    official.summary.SetInParent()
    for tag, value in values.items():
        official.summary.value.add(tag=said(tag), simple_value=value)
    assert_same(summary.scalars(step, values, wall_time=1.5), official)


@given(st.lists(st.floats()))
def test_scalars_are_rounded_to_float32(values: list[float]) -> None:
    event = summary.scalars(1, {str(number): value for number, value in enumerate(values)})
    read = [value.simple_value for value in Event.FromString(event).summary.value]
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(np.array(read), np.array(values).astype(np.float32))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1e300, np.inf), (-1e39, -np.inf), (1e-320, 0.0), (-np.inf, -np.inf), (np.float16(2), 2.0)],
)
def test_numbers_beyond_float32_do_not_raise(value: float, shown: float) -> None:
    with np.errstate(all="raise"):
        assert value_of(summary.scalars(1, {"a": value})).simple_value == shown


def test_minus_zero_and_nan_stay() -> None:
    minus_zero, nan = Event.FromString(summary.scalars(1, {"a": -0.0, "b": np.nan})).summary.value
    assert np.signbit(minus_zero.simple_value)
    assert np.isnan(nan.simple_value)


def test_zero_is_a_value_and_not_a_lack_of_one() -> None:
    assert value_of(summary.scalars(1, {"a": 0.0})).HasField("simple_value")


def test_any_number_of_tags_keep_their_values() -> None:
    values = {f"tag {number}": float(number) for number in range(20_000)}
    for step in (1, 2):
        written = Event.FromString(summary.scalars(step, values)).summary.value
        assert {value.tag: value.simple_value for value in written} == values


def test_a_step_beyond_int64_is_refused() -> None:
    with pytest.raises(ContractError, match="beyond a signed integer of 64 bits"):
        summary.scalars(1 << 63, {"a": 1.0})


def test_a_file_begins_with_its_version() -> None:
    assert_same(summary.version(1.5), Event(wall_time=1.5, file_version="brain.Event:2"))


@given(STEPS)
def test_a_session_starts_at_its_step(step: int) -> None:
    start = SessionLog(status=SessionLog.START)
    assert_same(summary.start(step, 1.5), Event(wall_time=1.5, step=step, session_log=start))


def test_building_events_needs_no_protobuf() -> None:
    code = (
        "import sys, tbtrace.events.summary, tbtrace.events.dashboards\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"google", "tensorboard", "tensorboardX"} & set(done.stdout.split())


def test_scalars_are_read_by_users_scripts(tmp_path: Path) -> None:
    with EventFile(tmp_path) as file:
        for step in range(5):
            file.add(summary.scalars(step, {"a": step / 2, "b": 1.0}))
    reader = EventAccumulator(str(tmp_path)).Reload()
    assert reader.Tags()["scalars"] == ["a", "b"]
    assert [(e.step, e.value) for e in reader.Scalars("a")] == [(s, s / 2) for s in range(5)]


@pytest.mark.parametrize(
    "build",
    [
        lambda wall_time: summary.scalars(1, {"a": 1.0}, wall_time=wall_time),
        lambda wall_time: summary.histogram(1, "h", BUCKETS, wall_time=wall_time),
        lambda wall_time: summary.image(1, "i", [b"png"], 1, 1, wall_time=wall_time),
        lambda wall_time: summary.text(1, "t", "hello", wall_time=wall_time),
        summary.version,
        lambda wall_time: summary.start(1, wall_time),
    ],
    ids=["scalars", "histogram", "image", "text", "version", "start"],
)
def test_wall_time_is_now_unless_given(build) -> None:
    before = time.time()
    assert before <= Event.FromString(build(None)).wall_time <= time.time()
    assert Event.FromString(build(12.5)).wall_time == 12.5


@pytest.mark.parametrize(
    "buckets",
    [
        BUCKETS,
        BUCKETS.repeat(2, axis=1)[:, ::2],
        BUCKETS.astype(">f8"),
        np.array([[3.0, 3.0, 5.0]]),
        np.zeros((0, 3)),
    ],
    ids=["plain", "strided", "big-endian", "constant", "empty"],
)
def test_histogram_holds_the_buckets_as_tensorboards_own_does(buckets: np.ndarray) -> None:
    value = value_of(summary.histogram(1, "h", buckets, "what *it* is"))
    tensor = make_ndarray(value.tensor)
    assert tensor.dtype == np.float64
    np.testing.assert_array_equal(tensor, buckets)
    (theirs,) = histogram_pb("h", [1.0, 2.0], description="what *it* is").value
    assert value.tensor.dtype == theirs.tensor.dtype
    assert value.metadata.plugin_data == theirs.metadata.plugin_data
    assert value.metadata.summary_description == "what *it* is"
    assert value.metadata.data_class == DATA_CLASS_TENSOR
    content = value.metadata.plugin_data.content
    assert histogram_metadata.parse_plugin_metadata(content).version == 0


@given(STEPS, TEXTS, TEXTS, st.lists(st.tuples(*[st.floats()] * 3)))
def test_histogram_is_what_tensorboards_protos_say(
    step: int, tag: str, description: str, rows: list[tuple[float, float, float]]
) -> None:
    buckets = np.array(rows, np.float64).reshape(-1, 3)
    official = official_tensor(
        step,
        said(tag),
        "histograms",
        DT_DOUBLE,
        buckets.shape,
        {"data_class": DATA_CLASS_TENSOR, "summary_description": said(description)},
        tensor_content=buckets.tobytes(),
    )
    assert_same(summary.histogram(step, tag, buckets, description, 1.5), official)


@pytest.mark.parametrize("shape", [(3,), (3, 2), (2, 3, 1), (0,)])
def test_histogram_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ContractError, match=r"'h': buckets have the shape .*; give rows of"):
        summary.histogram(1, "h", np.zeros(shape))


def test_image_is_a_sequence_of_blobs() -> None:
    value = value_of(summary.image(3, "i", [b"one", b"two"], 640, 480, "Title", "about"))
    assert make_ndarray(value.tensor).tolist() == [b"640", b"480", b"one", b"two"]
    assert value.metadata.plugin_data.plugin_name == image_metadata.PLUGIN_NAME
    assert value.metadata.data_class == DATA_CLASS_BLOB_SEQUENCE
    assert value.metadata.display_name == "Title"
    assert value.metadata.summary_description == "about"


@given(STEPS, TEXTS, TEXTS, TEXTS, st.lists(st.binary(), min_size=1))
def test_image_is_what_tensorboards_protos_say(
    step: int, tag: str, title: str, description: str, encoded: list[bytes]
) -> None:
    official = official_tensor(
        step,
        said(tag),
        "images",
        DT_STRING,
        (2 + len(encoded),),
        {
            "data_class": DATA_CLASS_BLOB_SEQUENCE,
            "display_name": said(title),
            "summary_description": said(description),
        },
        string_val=[b"640", b"480", *encoded],
    )
    assert_same(summary.image(step, tag, encoded, 640, 480, title, description, 1.5), official)


def test_image_without_a_picture_is_refused() -> None:
    with pytest.raises(ContractError, match="'i': there is no picture"):
        summary.image(1, "i", [], 640, 480)


def test_a_lone_surrogate_in_a_text_becomes_a_question_mark() -> None:
    value = value_of(summary.text(1, "tag \ud800", "a \udfff b"))
    assert value.tag == "tag ?"
    assert list(value.tensor.string_val) == [b"a ? b"]


@pytest.mark.parametrize("markdown", ["", "a | b\n-|-\n1 | 2", "Zürich → 山"])
def test_text_is_what_tensorboard_writes(markdown: str) -> None:
    value = value_of(summary.text(1, "t", markdown, "about"))
    (theirs,) = text_pb("t", markdown, description="about").value
    assert value.tensor == theirs.tensor
    assert value.metadata.plugin_data == theirs.metadata.plugin_data
    assert value.metadata.data_class == DATA_CLASS_TENSOR


@given(STEPS, TEXTS, TEXTS, TEXTS)
def test_text_is_what_tensorboards_protos_say(
    step: int, tag: str, markdown: str, description: str
) -> None:
    official = official_tensor(
        step,
        said(tag),
        "text",
        DT_STRING,
        (),
        {"data_class": DATA_CLASS_TENSOR, "summary_description": said(description)},
        string_val=[said(markdown).encode()],
    )
    assert_same(summary.text(step, tag, markdown, description, 1.5), official)


SCALARS = {f"group/metric {number}": float(number) for number in range(100)}
RED, BLUE = png(64, 48, (255, 0, 0)), png(64, 48, (0, 0, 255))


@in_both_modes()
def board(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    logdir = tmp_path_factory.mktemp("logdir")
    with EventFile(logdir / "run") as file:
        for step in range(1, 61):
            file.add(summary.scalars(step, SCALARS))
            file.add(summary.image(step, "few/one", [RED if step % 2 else BLUE], 64, 48, "", ""))
        file.add(summary.histogram(1, "hist/spread", BUCKETS, "in **metres**"))
        file.add(summary.histogram(1, "hist/constant", np.array([[3.0, 3.0, 5.0]])))
        file.add(summary.histogram(1, "hist/single", np.array([[-2.0, -2.0, 1.0]])))
        file.add(summary.histogram(1, "hist/empty", np.zeros((0, 3))))
        file.add(summary.image(2, "few/two", [RED, BLUE], 64, 48, "Two *pictures*", "from | above"))
        file.add(summary.text(0, "about", "| a | b |\n|---|---|\n| 1 | <b>2</b> |"))
    with serve(logdir, fast=request.param) as board:
        board.wait_for(lambda: board.text("run", "about"))
        yield board


def test_board_shows_every_scalar(board: Board) -> None:
    assert set(board.tags("scalars")["run"]) == set(SCALARS)
    assert board.scalars("run", "group/metric 42") == [(step, 42.0) for step in range(1, 61)]


@pytest.mark.parametrize(
    ("tag", "rows"),
    [
        ("hist/spread", BUCKETS.tolist()),
        ("hist/constant", [[3.0, 3.0, 5.0]]),
        ("hist/single", [[-2.0, -2.0, 1.0]]),
        ("hist/empty", []),
    ],
)
def test_board_shows_histograms(board: Board, tag: str, rows: list[list[float]]) -> None:
    assert board.histograms("run", tag) == [(1, rows)]


def test_board_shows_descriptions_and_titles(board: Board) -> None:
    description = board.tags("histograms")["run"]["hist/spread"]["description"]
    assert description == "<p>in <strong>metres</strong></p>"
    about = board.tags("images")["run"]["few/two"]
    assert about == {
        "displayName": "Two *pictures*",
        "description": "<p>from | above</p>",
        "samples": 2,
    }


def test_board_shows_the_picture_of_every_step(board: Board) -> None:
    pictures = board.images("run", "few/one")
    assert [step for step, _, _ in pictures] == list(range(1, 61))
    for step, encoded, content_type in pictures:
        picture = Image.open(io.BytesIO(encoded))
        assert content_type == "image/png"
        assert picture.size == (64, 48)
        assert picture.getpixel((10, 10)) == ((255, 0, 0) if step % 2 else (0, 0, 255))


def test_board_shows_both_pictures_of_a_step(board: Board) -> None:
    assert board.images("run", "few/two", sample=0) == [(2, RED, "image/png")]
    assert board.images("run", "few/two", sample=1) == [(2, BLUE, "image/png")]


def test_board_shows_text_as_markdown(board: Board) -> None:
    ((step, html),) = board.text("run", "about")
    assert step == 0
    assert "<table>" in html
    assert "<td>1</td>" in html
    assert "<b>" not in html
