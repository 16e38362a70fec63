"""Ready events that set up TensorBoard's dashboards: margin charts, and rows of HParams.

As in `summary`, each function returns one serialised `Event`, `wall_time` is the time of the event
in seconds since the epoch (now where it is None), and lone surrogates in texts become `?`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tbtrace.errors import ContractError
from tbtrace.events import message, wire

# Numbers of the fields, from tensorboard/plugins/custom_scalar/layout.proto.
_CATEGORY = 2  # Layout
_TITLE, _CHART, _MARGIN = 1, 2, 3  # Category and Chart
_SERIES = 1  # MarginChartContent
_VALUE, _LOWER, _UPPER = 1, 2, 3  # MarginChartContent.Series

# From tensorboard/plugins/hparams: plugin_data.proto and api.proto.
_EXPERIMENT, _SESSION_START, _SESSION_END = 2, 3, 4  # HParamsPluginData
_HPARAM_INFOS, _METRIC_INFOS = 4, 5  # Experiment
_NAME, _TYPE = 1, 4  # HParamInfo and MetricInfo
_METRIC_TAG = 2  # MetricName
_HPARAMS, _GROUP, _STARTED = 1, 4, 5  # SessionStartInfo
_STATUS, _ENDED = 1, 2  # SessionEndInfo
_MAP_KEY, _MAP_VALUE = 1, 2
_NUMBER, _STRING, _BOOL = 2, 3, 4  # google.protobuf.Value
_TYPE_STRING, _TYPE_BOOL, _TYPE_FLOAT64 = 1, 2, 3

Status = Literal["success", "failure", "running"]
"""What the HParams dashboard says of a run."""

_STATUSES: dict[Status, int] = {"success": 1, "failure": 2, "running": 3}


@dataclass(frozen=True, slots=True)
class Margin:
    """A chart of one curve with a band round it.

    Attributes:
        title: Above the chart.
        value: Tag of the curve. The tags are scalars of the run that holds the layout.
        lower: Tag of the lower edge of the band.
        upper: Tag of its upper edge.
    """

    title: str
    value: str
    lower: str
    upper: str


def layout(
    categories: Mapping[str, Sequence[Margin]], wall_time: float | None = None, *, step: int = 0
) -> bytes:
    """Returns an event with what the Custom Scalars dashboard shows of a run.

    The layout that was written last to a run counts, whatever its step, in both loading modes of
    TensorBoard. It shows those of all runs together: charts of categories with one title are
    joined, equal ones shown once.

    Args:
        categories: `{title: charts}`, in the order in which they are shown; none: no charts.
        wall_time: Seconds since the epoch.
        step: Counts for `summary.start` alone, which makes the Python server forget later ones.

    Raises:
        ContractError: `step` is beyond int64.

    Example:
        >>> from tensorboard.compat.proto.event_pb2 import Event
        >>> chart = Margin("return", "return_mean", "return_min", "return_max")
        >>> Event.FromString(layout({"episodes": [chart]})).summary.value[0].tag
        'custom_scalars__config__'
    """
    encoded = b"".join(
        wire.data(_CATEGORY, wire.text(_TITLE, title), *map(_chart, charts))
        for title, charts in categories.items()
    )
    tensor = message.string_tensor([encoded])
    value = message.tensor_value("custom_scalars__config__", tensor, "custom_scalars")
    return message.event(step, [value], wall_time)


def hparams(
    params: Mapping[str, bool | int | float | str],
    metrics: Iterable[str],
    *,
    status: Status,
    started: float,
    ended: float,
    group: str = "",
    wall_time: float | None = None,
) -> bytes:
    """Returns an event with a run's row in the HParams dashboard.

    TensorBoard keeps the first one of a run and ignores later ones, in both loading modes: what
    changed since (by population based training, or a restore) does not show. So write it once, at
    the end. The table's columns are the parameters and metrics of the run that it finds first.

    Args:
        params: `{name: value}`. Numbers are kept as float64; NaN and infinities show as empty.
        metrics: Tags of scalars of the run; their last values are shown.
        status: How the run ended.
        started: Seconds since the epoch.
        ended: Seconds since the epoch.
        group: Runs of one group share a row, with the parameters of one of them and the averages of
            their metrics; without one, a run has its own.
        wall_time: Seconds since the epoch.

    Raises:
        ContractError: There is no such `status`.
        OverflowError: An int is beyond float64.

    Example:
        >>> from tensorboard.compat.proto.event_pb2 import Event
        >>> row = hparams({"lr": 0.1}, ["loss"], status="success", started=1.0, ended=2.0)
        >>> [value.tag for value in Event.FromString(row).summary.value]
        ['_hparams_/experiment', '_hparams_/session_start_info', '_hparams_/session_end_info']
    """
    if status not in _STATUSES:
        raise ContractError(f"status {status!r}: give one of {', '.join(_STATUSES)}")
    infos, start = [], []
    for name, value in params.items():
        kind, encoded = _parameter(value)
        infos.append(wire.data(_HPARAM_INFOS, wire.text(_NAME, name), wire.integer(_TYPE, kind)))
        entry = wire.text(_MAP_KEY, name) + wire.data(_MAP_VALUE, encoded)
        start.append(wire.data(_HPARAMS, entry))
    infos += [
        wire.data(_METRIC_INFOS, wire.data(_NAME, wire.text(_METRIC_TAG, tag))) for tag in metrics
    ]
    start += [wire.text(_GROUP, group), wire.double(_STARTED, started)]
    end = wire.integer(_STATUS, _STATUSES[status]), wire.double(_ENDED, ended)
    values = (
        _hparams_value("experiment", wire.data(_EXPERIMENT, *infos)),
        _hparams_value("session_start_info", wire.data(_SESSION_START, *start)),
        _hparams_value("session_end_info", wire.data(_SESSION_END, *end)),
    )
    return message.event(0, values, wall_time)


def _chart(margin: Margin) -> bytes:
    tags = (
        wire.text(_VALUE, margin.value),
        wire.text(_LOWER, margin.lower),
        wire.text(_UPPER, margin.upper),
    )
    series = wire.data(_SERIES, *tags)
    return wire.data(_CHART, wire.text(_TITLE, margin.title), wire.data(_MARGIN, series))


def _parameter(value: bool | int | float | str) -> tuple[int, bytes]:
    if isinstance(value, bool):
        return _TYPE_BOOL, wire.integer(_BOOL, value)
    if isinstance(value, str):
        return _TYPE_STRING, wire.text(_STRING, value)
    return _TYPE_FLOAT64, wire.double(_NUMBER, value)


def _hparams_value(name: str, content: bytes) -> bytes:
    # The plugin reads nothing but its content in the metadata; the tensor is there for the servers.
    tensor = message.null_tensor()
    return message.tensor_value(f"_hparams_/{name}", tensor, "hparams", content=content)
