"""The plugin: its endpoints in and out of a real server, and a fuzz of requests and of archives."""

from __future__ import annotations

import builtins
import json
import random
import re
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from board_runs import Tab, decoded, scene, tab, walkers, write
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tensorboard_server import serve

from tbtrace.board.turns import Turns
from tbtrace.shelf import POINTER

QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
ROUTES = ["/runs", "/episodes", "/episode", "/background"]
NASTY = ["", ".", "..", "../run", "/etc/passwd", "run/../run", "run\0", "<img onerror=1>"]
NASTY += [
    "x" * 10_000,
    "\ud800",
    "1" * 400,
    "-1",
    "1.0",
    "1e3",
    "\u0661",
    "true",
    "null",
    "{}",
    "%",
]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Tab]:
    write(tmp_path / "run", [1, 2, 5], walkers(scene=scene()))
    write(tmp_path / "run", [2], walkers("e"), split="evaluation")
    folder = tmp_path / "trial"
    folder.mkdir()
    places = {"staging": str(folder), "storage": "s3://bucket/trial"}
    (folder / POINTER).write_text(json.dumps(places))
    with tab(tmp_path) as found:
        yield found


def assert_well_formed(answer: Any) -> None:
    """Holds for every answer that there may be."""
    assert answer.status_code in (200, 400, 404, 405, 413, 503)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(answer.data) == int(answer.headers["Content-Length"])
    if answer.status_code != 200:
        assert answer.content_type == "application/json"
        (sentence,) = answer.json.values()
        assert isinstance(sentence, str)
        assert 5 < len(sentence) < 1000
        assert "this failed" not in sentence  # nobody thought of that


def test_runs(made: Tab, tmp_path: Path) -> None:
    answer = made.json("/runs")
    version = answer["runs"][0].pop("version")
    assert isinstance(version, str)
    assert answer == {
        "complete": True,
        "limits": "",
        "logdir": str(tmp_path),
        "runs": [
            {
                "run": "run",
                "splits": {
                    "train": {"first": 1, "last": 5, "count": 3},
                    "evaluation": {"first": 2, "last": 2, "count": 1},
                },
            }
        ],
        "staging": [{"run": "trial", "storage": "s3://bucket/trial"}],
    }
    assert made.json("/episodes", run="run")["version"] == version
    assert made.json("/episodes", run="run", known=version)["unchanged"]


def test_an_episode_and_its_background(made: Tab) -> None:
    answer = made.ask("/episode", run="run", split="evaluation", iteration="2", uid="e")
    assert answer.content_type == "application/octet-stream"
    assert decoded(answer.data)[0]["uid"] == "e"
    header, _ = decoded(made.ask("/episode", run="run", split="train", iteration=5, uid="a").data)
    picture = made.ask("/background", run="run", key=header["scene"]["background"])
    assert picture.content_type == "image/png"
    assert picture.headers["Cache-Control"] == "max-age=31536000, immutable"
    assert picture.data.startswith(b"\x89PNG")


def test_an_answer_that_was_sent_makes_room_for_the_next(made: Tab) -> None:
    made.plugin._reader().turns = Turns(most_on_the_way=1)
    for method in ("GET", "HEAD", "GET"):
        query = {"run": "run", "split": "train", "iteration": 1, "uid": "a"}
        assert made.ask("/episode", method, **query).status_code == 200


def test_answers_are_as_documented(made: Tab) -> None:
    page = (Path(__file__).parents[2] / "docs/dashboard.md").read_text()
    blocks = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    answer = made.ask("/episode", run="run", split="train", iteration=1, uid="a").data
    header = json.loads(answer[4 : 4 + int.from_bytes(answer[:4], "little")])
    answers = [made.json("/runs"), made.json("/episodes", run="run"), header]
    for block, real in zip(blocks, answers, strict=True):
        told = json.loads(block)
        assert list(told) == list(real)
        for name, value in told.items():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                assert list(value[0]) == list(real[name][0])
    assert list(told["scene"]) == list(header["scene"])


def test_new_iterations_appear(made: Tab, tmp_path: Path) -> None:
    before = made.json("/episodes", run="run")
    write(tmp_path / "run", [6])
    made.look_again()
    after = made.json("/episodes", run="run", known=before["version"])
    assert after["iteration"] == [*before["iteration"], 6]


@pytest.mark.parametrize(
    ("route", "query", "status"),
    [
        ("/episodes", {}, 400),
        ("/episodes", {"run": ["run", "run"]}, 400),
        ("/episodes", {"run": "run", "known": ["a", "b"]}, 400),
        ("/episodes", {"run": "../run"}, 404),
        ("/episode", {"run": "run", "split": "test", "iteration": 1, "uid": "a"}, 400),
        ("/episode", {"run": "run", "split": "train", "iteration": "-1", "uid": "a"}, 400),
        ("/episode", {"run": "run", "split": "train", "iteration": "9" * 16, "uid": "a"}, 400),
        ("/episode", {"run": "run", "split": "train", "iteration": "\u0661", "uid": "a"}, 400),
        ("/episode", {"run": "run", "split": "train", "iteration": 1}, 400),
        ("/episode", {"run": "run", "split": "train", "iteration": 3, "uid": "a"}, 404),
        ("/episode", {"run": "run", "split": "train", "iteration": 1, "uid": "b"}, 404),
        ("/background", {"run": "run", "key": "../../etc/passwd"}, 400),
        ("/background", {"run": "run", "key": "0" * 16}, 404),
    ],
    ids=str,
)
def test_a_request_that_is_wrong(made: Tab, route: str, query: Any, status: int) -> None:
    answer = made.ask(route, **query)
    assert_well_formed(answer)
    assert answer.status_code == status


@pytest.mark.parametrize("route", ROUTES)
def test_only_get_and_head_are_answered(made: Tab, route: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = made.ask(route, method)
        assert answer.status_code == 405
        assert answer.headers["Allow"] == "GET, HEAD"
    head, whole = made.ask(route, "HEAD", run="run"), made.ask(route, run="run")
    assert (head.status_code, head.data) == (whole.status_code, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]


def test_files_of_the_page_are_a_fixed_table(made: Tab) -> None:
    static = [route for route in made.apps if route.startswith("/static/")]
    assert "/static/index.js" in static
    assert not any("*" in route or ".." in route for route in made.apps)
    types = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
    for route in static:
        assert made.ask(route).content_type == types[route.rpartition(".")[2]]
    metadata = made.plugin.frontend_metadata()
    assert (metadata.es_module_path, metadata.tab_name) == ("/static/index.js", "Traces")


def test_there_is_no_tab_without_an_archive(tmp_path: Path) -> None:
    with tab(tmp_path) as found:
        assert not found.plugin.is_active()
        assert found.json("/runs")["runs"] == []
    with tab("", "a:s3://bucket/a") as found:
        assert "s3://bucket/a is not on this machine" in found.json("/runs")["limits"]
    with tab() as found:
        assert not found.plugin.is_active()


def test_what_nobody_thought_of_is_no_500(
    made: Tab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for error, status in ((RuntimeError("secret"), 503), (MemoryError(), 413)):

        def fail(*args: Any, error: Exception = error) -> None:
            raise error

        monkeypatch.setattr(made.plugin, "_archive", fail)
        answer = made.ask("/episodes", run="run")
        assert answer.status_code == status
        assert "secret" not in answer.text
    assert "RuntimeError: secret" in caplog.text


def test_a_missing_package_is_named(made: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.startswith("tbtrace.board.catalogue"):
            raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")
        return real(name, *args)

    made.plugin._catalogue = None
    monkeypatch.setattr(builtins, "__import__", without)
    answer = made.ask("/episodes", run="run")
    assert answer.status_code == 503
    assert "pyarrow is missing" in answer.json["error"]


words = st.sampled_from([*NASTY, "run", "train", "evaluation", "a", "1", "2", "0" * 16]) | st.text()
queries = st.dictionaries(
    st.sampled_from(["run", "split", "iteration", "uid", "key", "known", "x"]),
    st.lists(words, max_size=2) | words,
)


@settings(max_examples=150, deadline=None, suppress_health_check=QUIET)
@given(st.sampled_from(ROUTES), queries)
@example("/episode", {"run": "run", "split": "train", "iteration": "1" * 15, "uid": "\0"})
def test_no_request_breaks_it(made: Tab, route: str, query: dict[str, Any]) -> None:
    sent = {
        name: [v.encode("utf-8", "surrogatepass") for v in ([vs] if isinstance(vs, str) else vs)]
        for name, vs in query.items()
    }
    assert_well_formed(made.ask(route, **sent))


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Returns a file that a stranger may send: bytes changed, cut out, doubled, or cut off."""
    found = bytearray(content)
    for _ in range(chance.choice((1, 1, 3, 30))):
        at = chance.randrange(len(found))
        size = chance.choice((1, 4, 50))
        how = chance.randrange(4)
        if how == 0:
            found[at : at + size] = chance.randbytes(min(size, len(found) - at))
        elif how == 1:
            del found[at : at + size]
        elif how == 2:
            found[at:at] = found[at : at + size]
        else:
            found[at : at + size] = bytes([chance.choice((0, 255, 127))]) * size
    if chance.random() < 0.1:
        del found[chance.randrange(len(found)) :]
    if chance.random() < 0.5:
        found[-4:] = b"PAR1"
    return bytes(found)


@pytest.mark.parametrize("part", range(3))
def test_no_archive_breaks_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int) -> None:
    monkeypatch.setattr("tbtrace.board.catalogue._PAUSE_SECONDS", 0)
    # What the checksum guards is reached, too.
    monkeypatch.setattr("tbtrace.archive.notes.zlib.crc32", lambda *args: 0)
    (file,) = write(tmp_path / "run", [1], walkers(scene=scene()), walkers("b", 1))
    (background,) = file.parent.glob("scene-*")
    contents = {path: path.read_bytes() for path in (file, background)}
    key = background.stem.removeprefix("scene-")
    chance = random.Random(part)
    with tab(tmp_path) as found:
        for _ in range(60):
            for path, content in contents.items():
                path.write_bytes(mutated(content, chance))
            found.look_again()
            assert_well_formed(found.ask("/runs"))
            assert_well_formed(found.ask("/episodes", run="run"))
            for uid in ("a", "b"):
                query = {"run": "run", "split": "train", "iteration": 1, "uid": uid}
                assert_well_formed(found.ask("/episode", **query))
            assert_well_formed(found.ask("/background", run="run", key=key))


@pytest.mark.parametrize("fast", [True, False], ids=["fast", "slow"])
def test_in_tensorboard(tmp_path: Path, fast: bool) -> None:
    with serve(tmp_path, fast) as board:
        name = "plugin/tbtrace"
        assert board.json("plugins_listing")["tbtrace"]["enabled"] is False
        write(tmp_path / "exp/run", [1], walkers("<b>", scene=scene()))
        board.wait_for(lambda: board.json("plugins_listing")["tbtrace"]["enabled"])
        assert board.json(f"{name}/runs")["runs"][0]["run"] == "exp/run"
        listed = board.json(f"{name}/episodes", run="exp/run")
        query = {"run": "exp/run", "split": "train", "iteration": "1", "uid": listed["uid"][0]}
        header, _ = decoded(board.get(f"{name}/episode", **query)[0])
        key = header["scene"]["background"]
        assert board.get(f"{name}/background", run="exp/run", key=key)[1] == "image/png"
        page = board.get("plugin_entry.html", name="tbtrace")[0].decode()
        assert 'import("./static/index.js")' in page
        assert board.get(f"{name}/static/index.js")[1] == "text/javascript"
        for path in ("static/../loader.py", "static/%2e%2e/loader.py", "static/x.js"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                board.get(f"{name}/{path}")
