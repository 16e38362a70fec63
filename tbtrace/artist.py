"""Artist: the process that runs views, apart from training.

Drawing in a process of its own keeps Python's one lock free for the training loop, survives a view
that crashes the interpreter, and can be ended when a view hangs. The process takes orders from its
standard input and replies on its standard output, whole pickles with their length in front; it ends
with that input, so it never outlives who started it.
"""

from __future__ import annotations

import ctypes
import functools
import os
import pickle
import queue
import signal
import struct
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from tbtrace.draw import anim
from tbtrace.episode import Episode
from tbtrace.errors import Problems, TbtraceWarning
from tbtrace.events.pixels import Images
from tbtrace.plan import plan, shown
from tbtrace.select import EpisodeSummary
from tbtrace.views import Context, View

IMAGES = "images of the result"
"""What stands for a view's name while images that a result holds are encoded."""

_LENGTH = struct.Struct("<Q")
_NICE = 10
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Content:
    """What one iteration has to draw.

    Attributes:
        context: What lasts over the run's iterations; it has observed `episodes`.
        episodes: The episodes that are here whole.
        summaries: `{split: summaries}` of all episodes of the iteration, to pick among.
        images: `{tag: images}` that the result itself holds.
    """

    context: Context
    episodes: Sequence[Episode] = ()
    summaries: Mapping[str, Sequence[EpisodeSummary]] = field(default_factory=dict)
    images: Mapping[str, Images] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """What is sent to the artist.

    Attributes:
        views: Pickled views, so that one that cannot be unpickled does not stop the others.
        content: A pickled `Content`.
        encode: Whether the content's images are to be encoded, too.
    """

    views: Sequence[tuple[str, bytes]]
    content: bytes
    encode: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """An answer: what is drawn next."""

    view: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """An answer: one finished card of pictures, as `summary.image` takes it."""

    tag: str
    encoded: Sequence[bytes]
    width: int
    height: int
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """An answer: ready for an order; the first one there is, and the last one to each order."""


Answer = Turn | Drawn | Done


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back.

    Attributes:
        answer: As above.
        warnings: The texts of our warnings since the last reply.
        counts: What could not be drawn since then, by kind.
    """

    answer: Answer
    warnings: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


def answers(order: Order, problems: Problems) -> Iterator[Answer]:
    """Draws an order: a `Turn` before each view, each picture as soon as it is drawn.

    An exception of a view or a selector is named once, counted, and the rest goes on.
    """
    try:
        content: Content = pickle.loads(order.content)
    except Exception as error:
        problems.add_error("pictures", "unpickling what to draw", error)
        return
    if order.encode and content.images:
        yield Turn(IMAGES)
        yield from _encoded(content.images, problems)
    for name, pickled in order.views:
        yield Turn(name)
        try:
            yield from _drawn(_view(pickled), content, problems)
        except Exception as error:
            problems.add_error("pictures", f"view {name!r}", error)


@functools.lru_cache(maxsize=256)
def _view(pickled: bytes) -> View:
    view: View = pickle.loads(pickled)
    return view


def _encoded(images: Mapping[str, Images], problems: Problems) -> Iterator[Drawn]:
    for tag, picture in images.items():
        try:
            samples = picture.samples()
            problems.count("pictures", picture.left_out)
            files = [anim.encode(frames) for frames in samples]
            height, width = samples[0].shape[1:3]
            yield Drawn(tag, files, width, height)
        except Exception as error:
            problems.add_error("pictures", f"encoding {tag!r}", error)


def _drawn(view: View, content: Content, problems: Problems) -> Iterator[Drawn]:
    for planned in plan([view], content.episodes, content.summaries, problems):
        tag = planned.tag
        try:
            episodes = shown(planned, content.episodes)
            picture = view.draw(episodes, content.context, title=tag.rsplit("/", 1)[-1])
            if picture is None:
                continue
            file, size = bytes(memoryview(picture.png)), (int(picture.width), int(picture.height))
            title = tag.removeprefix("traces/").replace("/", " · ")
            card = Drawn(tag, [file], *size, title, str(picture.description))
        except Exception as error:
            problems.add_error("pictures", f"view {view.name!r}", error)
            continue
        yield card


def send(stream: IO[bytes], message: bytes) -> None:
    """Writes one message.

    Raises:
        OSError: The other side is gone.
    """
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """Reads one message; None where the other side is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = stream.read(length)
    return message if len(message) == length else None


def main() -> None:
    """Serves orders until standard input ends, or its starter does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training; it ends us in order
    if sys.platform == "linux":
        # Where a view keeps Python's lock, or a fork of the trainer our input, nothing else would.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if hasattr(os, "nice"):
        os.nice(_NICE)
    # What views print must not get between the replies.
    orders, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    heard: list[str] = []
    _hear_warnings(heard)
    problems = Problems()
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(orders, waiting), daemon=True).start()

    def reply(answer: Answer) -> None:
        send(replies, pickle.dumps(Reply(answer, tuple(heard), problems.take())))
        heard.clear()

    reply(Done())
    while True:
        for answer in answers(pickle.loads(waiting.get()), problems):
            reply(answer)
        reply(Done())


def _listen(orders: IO[bytes], waiting: queue.SimpleQueue[bytes]) -> None:
    while (message := receive(orders)) is not None:
        waiting.put(message)
    os._exit(0)  # whoever ordered is gone, so nobody waits for a view that still runs


def _hear_warnings(heard: list[str]) -> None:
    """Collects our warnings, to be issued where the user sees them."""
    show = warnings.showwarning

    def hear(message: Warning | str, category: type[Warning], *rest: Any, **options: Any) -> None:
        if issubclass(category, TbtraceWarning):
            heard.append(str(message))
        else:
            show(message, category, *rest, **options)

    warnings.showwarning = hear
    warnings.simplefilter("always", TbtraceWarning)
