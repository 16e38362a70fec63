"""The layout of charts and the rows of hyper-parameters, as TensorBoard shows them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from boards import in_both_modes
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import DATA_CLASS_TENSOR
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard_server import Board, serve

from tbtrace.errors import ContractError
from tbtrace.events import summary
from tbtrace.events.dashboards import Margin, hparams, layout
from tbtrace.events.file import EventFile

TEXTS = st.text() | st.text(st.characters(categories=["Cs"]))  # lone surrogates too
MARGINS = st.builds(Margin, TEXTS, TEXTS, TEXTS, TEXTS)
RETURNS = Margin("return", "return_mean", "return_min", "return_max")
LENGTHS = Margin("length", "len_mean", "len_min", "len_max")
PARAMETERS = {"lr": 0.1, "kind": "PPO", "on": True, "off": False, "workers": 3, "none": math.nan}


def said(text: str) -> str:
    """What is left of `text` in UTF-8."""
    return text.encode(errors="replace").decode()


def row(params: Mapping[str, Any], *metrics: str, **changes: Any) -> bytes:
    options = {"status": "success", "started": 100.0, "ended": 200.0} | changes
    return hparams(params, metrics, **options)


@given(st.dictionaries(TEXTS, st.lists(MARGINS)), st.integers(-(1 << 63), (1 << 63) - 1))
def test_layout_is_what_tensorboards_protos_say(
    categories: dict[str, list[Margin]], step: int
) -> None:
    official = layout_pb2.Layout()
    for title, margins in categories.items():
        category = official.category.add(title=said(title))
        for margin in margins:
            chart = category.chart.add(title=said(margin.title))
            chart.margin.series.add(
                value=said(margin.value), lower=said(margin.lower), upper=said(margin.upper)
            )
    event = Event.FromString(layout(categories, 1.5, step=step))
    assert (event.wall_time, event.step) == (1.5, step)
    (value,) = event.summary.value
    (content,) = value.tensor.string_val
    assert layout_pb2.Layout.FromString(content) == official
    assert value.tag == "custom_scalars__config__"
    assert value.metadata.plugin_data.plugin_name == "custom_scalars"
    assert value.metadata.data_class == DATA_CLASS_TENSOR


@given(
    st.dictionaries(st.text(), st.booleans() | st.integers() | st.floats() | st.text()),
    st.text(),
    st.floats(0, 1e10),
)
def test_hparams_start_as_tensorboards_own_do(
    params: dict[str, Any], group: str, started: float
) -> None:
    event = Event.FromString(row(params, group=group, started=started))
    (theirs,) = hparams_pb(params, trial_id=group, start_time_secs=started).value
    ours = event.summary.value[1]
    assert ours.tag == theirs.tag
    assert ours.tensor == theirs.tensor
    assert ours.metadata.data_class == DATA_CLASS_TENSOR
    assert ours.metadata.plugin_data.plugin_name == theirs.metadata.plugin_data.plugin_name
    sessions = [
        plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
        for value in (ours, theirs)
    ]
    one, other = (session.SerializeToString(deterministic=True) for session in sessions)
    assert one == other


def test_hparams_hold_the_types_and_the_metrics() -> None:
    content = Event.FromString(row(PARAMETERS, "a", "b")).summary.value[0].metadata.plugin_data
    experiment = hparams_metadata.parse_experiment_plugin_data(content.content)
    kinds = {info.name: api_pb2.DataType.Name(info.type) for info in experiment.hparam_infos}
    assert kinds == {
        "lr": "DATA_TYPE_FLOAT64",
        "kind": "DATA_TYPE_STRING",
        "on": "DATA_TYPE_BOOL",
        "off": "DATA_TYPE_BOOL",
        "workers": "DATA_TYPE_FLOAT64",
        "none": "DATA_TYPE_FLOAT64",
    }
    assert [info.name.tag for info in experiment.metric_infos] == ["a", "b"]
    assert {info.name.group for info in experiment.metric_infos} == {""}


@pytest.mark.parametrize("status", ["success", "failure", "running"])
def test_hparams_say_how_the_run_ended(status: str) -> None:
    event = Event.FromString(row({}, status=status, wall_time=1.5))
    assert (event.wall_time, event.step) == (1.5, 0)
    content = event.summary.value[2].metadata.plugin_data.content
    ended = hparams_metadata.parse_session_end_info_plugin_data(content)
    assert api_pb2.Status.Name(ended.status) == f"STATUS_{status.upper()}"
    assert ended.end_time_secs == 200.0


def test_lone_surrogates_in_hparams_do_not_raise() -> None:
    content = Event.FromString(row({"\ud800": "\udfff"})).summary.value[1].metadata.plugin_data
    started = hparams_metadata.parse_session_start_info_plugin_data(content.content)
    assert started.hparams["?"].string_value == "?"


def test_another_status_is_refused() -> None:
    with pytest.raises(ContractError, match="'done': give one of success, failure, running"):
        row({}, status="done")


def test_an_int_beyond_float64_is_refused() -> None:
    with pytest.raises(OverflowError):
        row({"seed": 10**400})


@in_both_modes()
def board(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    logdir = tmp_path_factory.mktemp("logdir")
    with EventFile(logdir / "first") as file:
        file.add(summary.start(0))
        for number in range(30):
            file.add(layout({f"old {number}": [RETURNS]}, step=number // 2))
        file.add(layout({"Episodes": [RETURNS, LENGTHS], "Nothing": []}, step=20))
        for step in range(1, 6):
            tags = "return_mean", "return_min", "return_max"
            file.add(summary.scalars(step, dict.fromkeys(tags, float(step))))
        file.add(row(PARAMETERS, "return_mean", "missing"))
        file.add(row({"lr": 0.5, "new": 1.0}, "return_min", status="failure"))
    with EventFile(logdir / "restored") as file:
        file.add(summary.start(0))
        file.add(layout({"before the restore": [RETURNS]}, step=9))
        file.add(row({"lr": 0.2}, "return_mean"))
    with EventFile(logdir / "restored") as file:
        file.add(summary.start(5))
        file.add(layout({"Restored": [RETURNS], "Episodes": [RETURNS]}, step=5))
        file.add(row({"lr": 0.3}, "return_mean"))
        file.add(summary.scalars(5, {"return_mean": 7.0}))
    with EventFile(logdir / "grouped") as file:
        file.add(row({"lr": 0.4}, "return_mean", group="together", status="running"))
    with serve(logdir, fast=request.param) as board:
        board.wait_for(lambda: board.scalars("restored", "return_mean"))
        board.wait_for(lambda: board.scalars("first", "return_max"))
        board.wait_for(lambda: len(groups(board)) == 3)
        yield board


def groups(board: Board) -> dict[str, dict[str, Any]]:
    statuses = ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"]
    request = {"startIndex": 0, "sliceSize": 10, "allowedStatuses": statuses}
    answer = board.json("plugin/hparams/session_groups", request=json.dumps(request))
    return {group["name"]: group for group in answer["sessionGroups"]}


def test_board_shows_the_layout_written_last(board: Board) -> None:
    categories = board.json("plugin/custom_scalars/layout")["category"]
    charts = {
        category["title"]: [chart["title"] for chart in category["chart"]]
        for category in categories
    }
    assert charts == {"Episodes": ["return", "length"], "Nothing": [], "Restored": ["return"]}
    assert categories[0]["chart"][0]["margin"]["series"] == [
        {"value": "return_mean", "lower": "return_min", "upper": "return_max"}
    ]


@pytest.mark.parametrize("tag", [RETURNS.value, RETURNS.lower, RETURNS.upper])
def test_board_finds_the_curves_of_a_margin_chart(board: Board, tag: str) -> None:
    answer = board.json("plugin/custom_scalars/scalars", run="first", tag=f"^{tag}$")
    assert [(step, value) for _, step, value in answer["tag_to_events"][tag]] == [
        (step, float(step)) for step in range(1, 6)
    ]


def test_board_shows_hparams(board: Board) -> None:
    group = groups(board)["first"]
    assert group["hparams"] == {name: value for name, value in PARAMETERS.items() if name != "none"}
    (session,) = group["sessions"]
    assert session["status"] == "STATUS_SUCCESS"
    assert (session["startTimeSecs"], session["endTimeSecs"]) == (100.0, 200.0)


def test_board_keeps_the_first_hparams_of_a_run(board: Board) -> None:
    assert groups(board)["first"]["hparams"]["lr"] == 0.1
    assert "new" not in groups(board)["first"]["hparams"]
    assert groups(board)["restored"]["hparams"] == {"lr": 0.2}


def test_board_groups_runs_by_name(board: Board) -> None:
    (session,) = groups(board)["together"]["sessions"]
    assert session["name"] == "grouped"
    assert session["status"] == "STATUS_RUNNING"


def test_board_shows_the_last_values_of_the_metrics(board: Board) -> None:
    experiment = board.json("plugin/hparams/experiment", request="{}")
    tags = [info["name"]["tag"] for info in experiment["metricInfos"]]
    assert "return_mean" in tags
    for run, last in (("first", 5.0), ("restored", 7.0)):
        values = {one["name"]["tag"]: one["value"] for one in groups(board)[run]["metricValues"]}
        assert values["return_mean"] == last


def test_board_takes_the_columns_of_one_run(board: Board) -> None:
    experiment = board.json("plugin/hparams/experiment", request="{}")
    names = {info["name"] for info in experiment["hparamInfos"]}
    assert names in (set(PARAMETERS), {"lr"})
