"""What event files hold, as TensorBoard would read them."""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crc32c import crc32c
from tensorboard.compat.proto.event_pb2 import Event

KINDS = ("scalars", "histograms", "images", "text", "other")
_LENGTH = struct.Struct("<QI")
_OLD = {"simple_value": "scalars", "histo": "histograms", "image": "images", "audio": "other"}
_LOST = "tbtrace/dropped/"


@dataclass
class Scan:
    """What the event files of one run hold.

    Attributes:
        files: Names, in the order in which TensorBoard reads them.
        bytes: Of all files.
        tags: `{kind: tags}`.
        pictures: How many steps each tag of images has.
        lost: `{kind: count}`, the last that tbtrace said of what it dropped.
        torn: Files that end within a record.
        damaged: Files with a record whose checksum is wrong, or that is no event; what follows it
            was not read.
        overlapping: Files that were still written when a later one had begun.
    """

    files: list[str] = field(default_factory=list)
    bytes: int = 0
    tags: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    pictures: Counter[str] = field(default_factory=Counter)
    lost: dict[str, float] = field(default_factory=dict)
    torn: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    overlapping: list[str] = field(default_factory=list)


def scan(files: list[Path]) -> Scan:
    """Reads the event files of one run."""
    found = Scan()
    kinds: dict[str, str] = {}
    last: tuple[str, float] = ("", 0.0)
    for path in sorted(files):
        found.files.append(path.name)
        found.bytes += path.stat().st_size
        times = []
        for event in _events(path, found):
            if event.summary.value:
                times.append(event.wall_time)
            for value in event.summary.value:
                # The first one of a tag decides what it is.
                kind = kinds.setdefault(value.tag, _kind(value))
                found.tags[kind].add(value.tag)
                if kind == "images":
                    found.pictures[value.tag] += 1
                if _LOST in value.tag and kind == "scalars":
                    found.lost[value.tag.rpartition(_LOST)[2]] = value.simple_value
        if times:
            if last[1] > min(times) + 1.0:
                found.overlapping.append(last[0])
            last = path.name, max(times)
    return found


def _kind(value: Any) -> str:
    plugin = value.metadata.plugin_data.plugin_name
    kind = plugin or _OLD.get(value.WhichOneof("value"), "other")
    return kind if kind in KINDS else "other"


def _events(path: Path, found: Scan) -> Iterator[Any]:
    size = path.stat().st_size
    with path.open("rb") as stream:
        while head := stream.read(_LENGTH.size):
            if len(head) < _LENGTH.size:
                found.torn.append(path.name)
                return
            length, check = _LENGTH.unpack(head)
            if _masked(head[:8]) != check:
                found.damaged.append(path.name)
                return
            # No more than there is, whatever a stranger's file says.
            body = stream.read(min(length + 4, size))
            if len(body) < length + 4:
                found.torn.append(path.name)
                return
            if struct.pack("<I", _masked(body[:-4])) != body[-4:]:
                found.damaged.append(path.name)
                return
            try:
                event = Event.FromString(body[:-4])
            except Exception:  # protobuf's own error: a record, but of something else
                found.damaged.append(path.name)
                return
            yield event


def _masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
