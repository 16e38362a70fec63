from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from stand import Stand, episode
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard_server import Board, serve

from tbtrace import Reporting, RunReporter
from tbtrace.about import TAG, About, margins
from tbtrace.events.dashboards import Margin
from tbtrace.views import Paths

SCALARS = {
    f"ray/tune/env_runners/custom_metrics/speed_avg_{kind}": 1.0 for kind in ("mean", "min", "max")
}
ODD = "a|b`c`\n\n# <script>alert(1)</script> </code> **bold** [x](http://e.vil) \\`"


def tags(events: list[bytes]) -> list[str]:
    return [value.tag for event in events for value in Event.FromString(event).summary.value]


def card(events: list[bytes]) -> str:
    """The text of the one card among the events."""
    values = [value for event in events for value in Event.FromString(event).summary.value]
    (text,) = [value.tensor.string_val[0].decode() for value in values if value.tag == TAG]
    return text


def test_the_card_says_what_there_is() -> None:
    about = About([Paths()], "/runs/my run")
    text = card(about.see(1, SCALARS, ["speed", "won"], [episode("a")], {"pictures": 2}))
    assert text.startswith(
        """\
### What this run shows

tbtrace has recorded what the environment says in its `info`.

* **Quantities:** `speed`, `won`
* **Traces:** `cars` (1 entity)
* **Views, and the episodes that they pick:** `paths` of `best`, `worst`, `last`
* **Left out so far:** 2 pictures that were not drawn

TensorBoard keeps 500 pictures of a tag, 10 where tbtrace is missing. All of them:

    tbtrace view '/runs/my run'
"""
    )


def test_an_empty_run_has_a_card_too() -> None:
    text = About([], "/run").markdown({})
    assert text.count(":** nothing\n") == 4


def test_a_card_is_written_when_something_new_turns_up() -> None:
    about = About([], "/run")
    assert tags(about.see(1, {}, [], [], {})) == [TAG]
    assert tags(about.see(2, {}, [], [], {})) == []
    assert tags(about.see(3, {}, ["speed"], [], {})) == [TAG]
    assert tags(about.see(4, {}, ["speed"], [episode("a")], {})) == [TAG]
    assert tags(about.see(5, {}, ["speed"], [episode("b")], {"values": 1})) == [TAG]
    assert tags(about.see(6, {}, [], [], {"values": 9})) == []
    assert "9 values" in card(about.end(6, {"values": 9}))
    assert about.end(7, {"values": 9}) == []


def test_the_last_card_has_a_step_of_its_own() -> None:
    about = About([], "/run")
    about.see(1, {}, [], [], {})
    assert about.end(1, {"pictures": 1}) == []
    assert tags(about.end(2, {"pictures": 1})) == [TAG]


def test_what_the_recorder_counted_is_told() -> None:
    about = About([], "/run")
    told = {
        "ray/tune/tbtrace/dropped/values": 3.0,
        "ray/tune/tbtrace/dropped/pictures": 1.0,
        "ray/tune/tbtrace/aborted": 2.0,
        "ray/tune/tbtrace/uncounted": 0.0,
    }
    lost = card(about.see(1, told, [], [], {"pictures": 4})).split("so far:** ")[1].split("\n")[0]
    assert lost == (
        "3 values that were no finite numbers, or could not be shown; 4 pictures that were not"
        " drawn; 2 episodes that a reset cut off"
    )


def test_going_back_writes_again_what_tensorboard_forgets() -> None:
    about = About([], "/run")
    both = [TAG, "custom_scalars__config__"]
    assert tags(about.see(3, SCALARS, ["speed"], [], {})) == both
    assert tags(about.see(4, SCALARS, ["speed"], [], {})) == []
    assert tags(about.see(4, SCALARS, ["speed"], [], {})) == []
    assert tags(about.see(3, SCALARS, ["speed"], [], {})) == both
    assert tags(about.see(1, SCALARS, ["speed"], [], {})) == both
    assert tags(about.see(2, SCALARS, ["speed"], [], {})) == []


def test_many_names_are_cut_short() -> None:
    about = About([], "/run")
    text = card(about.see(1, {}, [f"name-{k}" for k in range(100)], [], {}))
    assert "`name-59` and 40 more" in text
    assert "name-60" not in text


def test_charts_are_those_of_whole_families_by_folder() -> None:
    whole = [f"{base}_{kind}" for base in ("a/x", "a/y", "z") for kind in ("mean", "min", "max")]
    assert margins([*whole, "a/half_mean", "a/half_min", "b_max"]) == {
        "a": [
            Margin("x", "a/x_mean", "a/x_min", "a/x_max"),
            Margin("y", "a/y_mean", "a/y_min", "a/y_max"),
        ],
        "z": [Margin("z", "z_mean", "z_min", "z_max")],
    }
    assert margins([]) == {}


def test_charts_are_bounded() -> None:
    many = [f"{base}_{kind}" for base in range(1000) for kind in ("mean", "min", "max")]
    assert sum(map(len, margins(many).values())) == 300


def test_a_new_family_writes_the_whole_layout_again() -> None:
    about = About([], "/run")
    about.see(1, SCALARS, [], [], {})
    assert about.see(2, {**SCALARS, "half_mean": 1.0}, [], [], {}) == []
    (event,) = about.see(3, {f"n_{kind}": 1.0 for kind in ("mean", "min", "max")}, [], [], {})
    (value,) = Event.FromString(event).summary.value
    layout = layout_pb2.Layout.FromString(value.tensor.string_val[0])
    assert [category.title for category in layout.category] == [
        "n",
        "ray/tune/env_runners/custom_metrics",
    ]


@pytest.fixture(params=[True, False], ids=["fast", "slow"], scope="module")
def board(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Board]:
    logdir = tmp_path_factory.mktemp("about")
    reporter = RunReporter(logdir, Reporting(views=[Stand(ODD)]))
    metrics = {f"{ODD}_{kind}": 1.0 for kind in ("mean", "min", "max")}
    for step in (1, 2):
        result = {"custom_metrics": metrics, **SCALARS}
        reporter.report(step, result, [episode(f"e{step}")])
    reporter.close()
    with serve(logdir, request.param) as server:
        yield server


def test_the_card_is_shown(board: Board) -> None:
    ((step, text),) = board.wait_for(lambda: board.text(".", TAG))
    assert step == 1
    assert text.count("<h3>") == 2
    assert text.count("<li>") == 4 + 4 + 3
    assert "<strong>Quantities:</strong> <code>speed</code>, <code>won</code>" in text
    assert f"<pre><code>tbtrace view {board.logdir}" in text


def test_odd_names_are_shown_as_they_are_and_harm_nothing(board: Board) -> None:
    ((_, text),) = board.wait_for(lambda: board.text(".", TAG))
    assert "<script" not in text
    assert "<a " not in text
    (line,) = re.findall(r"<li>.*they pick.*</li>", text)
    assert html.unescape(line).count("a|b'c' # <script>alert(1)</script> </code> **bold**") == 1
    assert line.count("<code>") == line.count("</code>") == 2


def test_the_charts_are_listed(board: Board) -> None:
    layout = board.wait_for(lambda: board.json("plugin/custom_scalars/layout"))
    titles = {
        category["title"]: [chart["title"] for chart in category["chart"]]
        for category in layout["category"]
    }
    assert titles["ray/tune/env_runners/custom_metrics"] == ["speed_avg"]
    # And what the reporter counts of the episodes itself.
    assert titles["env_runners/custom_metrics"] == ["speed_avg", "speed_sum", "won"]
    assert titles["env_runners"] == ["episode_len", "episode_return"]
    assert len(titles) == 4


def test_the_card_is_in_the_file_at_the_first_report_already(tmp_path: Path) -> None:
    reporter = RunReporter(tmp_path, Reporting(views=()))
    reporter.report(1, {"loss": 1.0})
    assert reporter.flush()
    (file,) = tmp_path.iterdir()
    assert TAG.encode() in file.read_bytes()
    reporter.close()
