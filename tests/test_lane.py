from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from stand import (
    Note,
    Stand,
    WaitFor,
    chatter,
    content,
    leave,
    quit_python,
    segfault,
    sleep_for_ever,
    warn,
)

from tbtrace.artist import Drawn, Order, Reply
from tbtrace.lane import ArtistError, Lane, shared_lane
from tbtrace.options import pickled


@pytest.fixture(scope="module")
def lane() -> Iterator[Lane]:
    lane = Lane()
    yield lane
    lane.close()


def order(*views: Stand) -> Order:
    return Order(pickled(views), content("a"))


def draw(lane: Lane, *views: Stand, seconds: float = 60.0) -> list[str]:
    """The tags that were drawn."""
    replies: list[Reply] = []
    lane.draw(order(*views), seconds, replies.append)
    return [reply.answer.tag for reply in replies if isinstance(reply.answer, Drawn)]


def test_pictures_come_in_the_order_of_the_views(lane: Lane) -> None:
    names = [f"view-{k}" for k in range(5)]
    tags = draw(lane, *map(Stand, names))
    assert tags == [f"traces/{name}/train/last" for name in names]


def test_what_a_view_prints_or_reads_harms_nobody(lane: Lane) -> None:
    tags = draw(lane, Stand("loud", chatter), Stand("next"))
    assert tags == ["traces/loud/train/last", "traces/next/train/last"]


def test_the_process_is_kept(lane: Lane, tmp_path: Path) -> None:
    files = [tmp_path / "one", tmp_path / "two"]
    for file in files:
        draw(lane, Stand(act=Note(str(file))))
    assert files[0].read_text() == files[1].read_text()


def test_lambdas_and_closures_travel(lane: Lane, tmp_path: Path) -> None:
    file = tmp_path / "note"
    draw(lane, Stand(act=lambda episodes: file.write_text(episodes[0].uid)))
    assert file.read_text() == "a"


def test_warnings_are_handed_on(lane: Lane) -> None:
    replies: list[Reply] = []
    lane.draw(order(Stand("warns", warn)), 60.0, replies.append)
    assert [text for reply in replies for text in reply.warnings] == ["a view says so"]


@pytest.mark.parametrize("act", [leave, quit_python, segfault])
def test_a_crash_is_told_by_the_views_name(lane: Lane, act: object) -> None:
    with pytest.raises(ArtistError) as caught:
        draw(lane, Stand("fine"), Stand("crashes", act))  # type: ignore[arg-type]
    assert (caught.value.view, caught.value.overran) == ("crashes", False)
    assert draw(lane, Stand("next")) == ["traces/next/train/last"]


def test_a_view_that_hangs_is_told_and_its_process_ended(lane: Lane, tmp_path: Path) -> None:
    draw(lane, Stand())  # so that the process has started
    file = tmp_path / "pid"
    start = time.monotonic()
    with pytest.raises(ArtistError) as caught:
        draw(lane, Stand("hangs", Note(str(file), sleep_for_ever)), seconds=0.5)
    assert (caught.value.view, caught.value.overran) == ("hangs", True)
    assert 0.5 <= time.monotonic() - start < 60.0
    assert not Path(f"/proc/{file.read_text()}").exists()
    assert draw(lane, Stand("next")) == ["traces/next/train/last"]


def test_each_view_has_its_own_time(lane: Lane) -> None:
    draw(lane, Stand())
    slow = [Stand(f"slow-{k}", lambda episodes: time.sleep(0.8)) for k in range(3)]
    assert len(draw(lane, *slow, seconds=2.2)) == 3


def test_cut_ends_what_is_drawn(lane: Lane, tmp_path: Path) -> None:
    file = tmp_path / "pid"

    def cut() -> None:
        while not file.exists():
            time.sleep(0.01)
        lane.cut()

    cutter = threading.Thread(target=cut)
    cutter.start()
    with pytest.raises(ArtistError) as caught:
        draw(lane, Stand("hangs", Note(str(file), sleep_for_ever)))
    cutter.join()
    assert (caught.value.view, caught.value.overran) == ("hangs", False)
    # It may not have gone yet, and is not taken for the next order.
    lane.cut()
    assert draw(lane, Stand("next")) == ["traces/next/train/last"]


def test_modules_are_found_that_are_put_on_the_path_later(
    lane: Lane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(lane, Stand())
    (tmp_path / "late_view.py").write_text("from stand import Stand\nclass Late(Stand): pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    import late_view  # type: ignore[import-not-found]

    assert draw(lane, late_view.Late("late")) == ["traces/late/train/last"]


@pytest.mark.parametrize("program", ["/nowhere/python", "", None, "/bin/false", "/bin/true"])
def test_a_process_that_cannot_start_is_told(
    program: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    lane = Lane()
    lane.start()
    assert lane.worker.drain(60.0)
    with pytest.raises(ArtistError) as caught:
        draw(lane, Stand())
    assert (caught.value.view, caught.value.overran) == (None, False)
    lane.close()
    assert lane.worker.stop(60.0)


def test_an_order_that_fails_here_leaves_no_answers_for_the_next(lane: Lane) -> None:
    def hear(reply: Reply) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lane.draw(order(Stand("first")), 60.0, hear)
    assert draw(lane, Stand("next")) == ["traces/next/train/last"]


def test_closing_waits_for_the_process(tmp_path: Path) -> None:
    lane, file = Lane(), tmp_path / "pid"
    draw(lane, Stand(act=Note(str(file))))
    lane.close()
    assert not Path(f"/proc/{file.read_text()}").exists()
    lane.close()


def test_a_few_cores_share_one_lane() -> None:
    assert {id(shared_lane()) for _ in range(9)} <= {id(shared_lane()) for _ in range(2)}


def test_waiting_views_go_on_when_what_they_wait_for_is_there(lane: Lane, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    assert len(draw(lane, Stand(act=WaitFor(str(tmp_path / "there"))))) == 1


def test_the_artist_imports_neither_ray_nor_torch() -> None:
    code = "import sys, tbtrace.artist; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"ray", "torch", "tensorboard", "tensorboardX", "pyarrow", "pandas", "gymnasium"}
    assert not heavy & set(done.stdout.split())


def test_the_process_is_not_of_the_group_that_ctrl_c_ends(lane: Lane, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    draw(lane, Stand(act=Note(str(file))))
    assert os.getpgid(int(file.read_text())) != os.getpgid(0)
