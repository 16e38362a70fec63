from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from stand import Stand, content, episode, fail

from tbtrace.artist import IMAGES, Content, Drawn, Order, Turn, answers, receive, send
from tbtrace.episode import Episode
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.events.pixels import Images
from tbtrace.options import pickled
from tbtrace.select import Last
from tbtrace.views import Context, Paths, Picture


def order(*views: object, **parts: object) -> Order:
    told = Content(Context(), (episode("a"),), **parts)
    return Order(pickled(views), pickle.dumps(told))


def test_each_view_has_its_turn_and_its_pictures() -> None:
    got = list(answers(order(Stand("one"), Stand("two")), Problems()))
    assert got == [
        Turn("one"),
        Drawn("traces/one/train/last", [b"png of a"], 2, 2, "one · train · last"),
        Turn("two"),
        Drawn("traces/two/train/last", [b"png of a"], 2, 2, "two · train · last"),
    ]


def test_a_real_view_draws_a_png() -> None:
    drawn = [a for a in answers(order(Paths()), Problems()) if isinstance(a, Drawn)]
    assert [card.tag.rsplit("/", 1)[1] for card in drawn] == ["best", "worst", "last"]
    for card in drawn:
        assert card.encoded[0].startswith(b"\x89PNG")
        assert (card.width, card.height) == (640, 480)
        assert card.description


class Comparing(Stand):
    """A view that draws the uids of all that it gets."""

    together = True

    def draw(self, episodes: Sequence[Episode], *args: object, **options: object) -> Picture:
        return Picture(" ".join(episode.uid for episode in episodes).encode(), 2, 2)


def test_a_view_that_compares_gets_the_others_behind_the_picked_one() -> None:
    here = (episode("a"), episode("b"), episode("c", split="evaluation"), episode("d"))
    told = pickle.dumps(Content(Context(), here))
    views = [Comparing("all", picks=(Last(),)), Stand("one")]
    got = list(answers(Order(pickled(views), told), Problems()))
    drawn = [answer.encoded for answer in got if isinstance(answer, Drawn)]
    assert drawn == [[b"d a b"], [b"png of d"]]


def test_images_of_the_result_come_first_and_only_when_asked_for() -> None:
    pixels = Images((np.full((3, 4, 5), 9, np.uint8),), channels_last=False)
    asked = order(Stand(), images={"frame": pixels})
    turn, drawn, *_ = answers(asked, Problems())
    assert turn == Turn(IMAGES)
    assert isinstance(drawn, Drawn)
    assert (drawn.tag, drawn.width, drawn.height) == ("frame", 5, 4)
    not_asked = Order(asked.views, asked.content, encode=False)
    assert next(answers(not_asked, Problems())) == Turn("stand")


class Odd(Stand):
    """A view whose picture is none."""

    picture: object = None

    def draw(self, *args: object, **options: object) -> Picture:
        return self.picture  # type: ignore[return-value]


@pytest.mark.parametrize("picture", [np.zeros((2, 2)), Picture("text", 2, 2), Picture(5, 2, 2)])  # type: ignore[arg-type]
def test_what_is_no_picture_is_named_and_counted(picture: object) -> None:
    view, problems = Odd("odd"), Problems()
    view.picture = picture
    with pytest.warns(TbtraceWarning, match="view 'odd' raised"):
        got = list(answers(order(view, Stand()), problems))
    assert [type(answer) for answer in got] == [Turn, Turn, Drawn]
    assert problems.take() == {"pictures": 1}


def test_a_view_that_draws_nothing_is_no_problem() -> None:
    problems = Problems()
    assert list(answers(order(Odd()), problems)) == [Turn("stand")]
    assert problems.take() == {}


def test_errors_are_named_and_the_others_draw() -> None:
    problems = Problems()
    views = pickled([Stand("bad", fail), Stand("good")])
    broken = [("gone", b"cnowhere\nview\n."), ("no-picks", pickle.dumps(3)), *views]
    with pytest.warns(TbtraceWarning) as caught:
        got = list(answers(Order(broken, content("a")), problems))
    assert [str(warning.message).split(":")[0] for warning in caught] == [
        "view 'gone' raised ModuleNotFoundError",
        "view 'no-picks' raised AttributeError",
        "view 'bad' raised ZeroDivisionError",
    ]
    assert [answer.tag for answer in got if isinstance(answer, Drawn)] == ["traces/good/train/last"]
    assert problems.take() == {"pictures": 3}


def test_content_that_cannot_be_read_is_named_and_counted() -> None:
    problems = Problems()
    with pytest.warns(TbtraceWarning, match="unpickling what to draw raised"):
        assert list(answers(Order(pickled([Stand()]), b"torn"), problems)) == []
    assert problems.take() == {"pictures": 1}


def test_messages_are_whole_or_none() -> None:
    stream = io.BytesIO()
    send(stream, b"one")
    send(stream, b"")
    whole = stream.getvalue()
    stream.seek(0)
    assert [receive(stream), receive(stream), receive(stream)] == [b"one", b"", None]
    for cut in range(11):
        assert receive(io.BytesIO(whole[:cut])) is None


def gone(pid: int, seconds: float = 60.0) -> bool:
    """Whether a process that is no child of ours ends."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":  # whoever inherited it has not looked yet
            return True
        time.sleep(0.02)
    return False


PARENT = """
import os, signal, sys, time
import stand
from tbtrace import Reporting, RunReporter
view = stand.Stand(act=stand.Note({pid!r}, {act}))
reporter = RunReporter({run!r}, Reporting(views=[view]))
def fork():
    while not os.path.exists({pid!r}):
        time.sleep(0.01)
    if os.fork():
        open({pid!r} + " forked", "w").close()
if __name__ == "__main__":
    reporter.report(1, {{"loss": 1.0}}, [stand.episode("a")])
    {then}
"""


def script(tmp_path: Path, act: str = "None", then: str = "pass") -> tuple[Path, Path, Path]:
    """Writes a training script; returns it, where its view leaves its pid, and its logdir."""
    file, pid, run = tmp_path / "script.py", tmp_path / "pid", tmp_path / "run"
    file.write_text(PARENT.format(pid=str(pid), run=str(run), act=act, then=then))
    return file, pid, run


def started(file: Path, pid: Path) -> tuple[subprocess.Popen[bytes], int]:
    """Runs the script as a group of its own until its view is called."""
    path = os.pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(
        [sys.executable, str(file)], env={**os.environ, "PYTHONPATH": path}, start_new_session=True
    )
    wait_for(pid, process)
    return process, int(pid.read_text())


def wait_for(file: Path, process: subprocess.Popen[bytes]) -> None:
    """Waits until a script has written a file."""
    deadline = time.monotonic() + 120
    while not file.exists():
        assert time.monotonic() < deadline
        assert process.poll() is None or file.exists()
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("act", "then"),
    [
        ("None", "time.sleep(300)"),
        ("stand.sleep_for_ever", "time.sleep(300)"),
        # A fork holds the artist's input open. It comes once the artist draws: one in the midst of
        # subprocess.Popen makes that wait for the end of the child, whatever it starts.
        ("stand.sleep_for_ever", "fork(); time.sleep(300)"),
        # Python's lock is never given back, so that no other thread of the artist runs.
        ("lambda e: __import__('ctypes').PyDLL(None).sleep(300)", "time.sleep(300)"),
    ],
)
def test_the_artist_ends_with_a_parent_that_is_killed(tmp_path: Path, act: str, then: str) -> None:
    file, pid, _ = script(tmp_path, act, then)
    process, artist = started(file, pid)
    forks = "fork" in then
    if forks:
        wait_for(Path(f"{pid} forked"), process)
    try:
        process.kill()
        process.wait()
        assert gone(artist)
    finally:
        if forks:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_script_that_ends_without_close_has_its_pictures(tmp_path: Path) -> None:
    file, pid, run = script(tmp_path)
    process, artist = started(file, pid)
    assert process.wait(120) == 0
    assert gone(artist)
    (events,) = run.glob("events.out.tfevents.*")
    assert b"png of a" in events.read_bytes()


def test_ctrl_c_does_not_reach_the_artist_before_the_drain(tmp_path: Path) -> None:
    go_on = tmp_path / "go on"
    file, pid, run = script(tmp_path, f"stand.WaitFor({str(go_on)!r})", "time.sleep(300)")
    process, artist = started(file, pid)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.2)
    go_on.touch()
    assert process.wait(120) in (1, -signal.SIGINT)
    assert gone(artist)
    (events,) = run.glob("events.out.tfevents.*")
    assert b"png of a" in events.read_bytes()
