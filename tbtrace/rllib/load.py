"""Load: episodes on their way to another process, each scene only the first time.

A scene (a floor plan of some hundred kB, say) is the same in episode after episode. The sender
replaces it by a key that it makes of the contents; the receiver remembers what belongs to the key.
"""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tbtrace.episode import Episode, Scene

_SCENES = 8
"""So many scenes are known of each sender, here and there."""

_SENDERS = 1024


@dataclass(frozen=True, slots=True)
class Load:
    """Episodes as they travel.

    Attributes:
        episodes: The episodes, without their scenes.
        scene_keys: The key of each episode's scene; empty where it gave none.
        scenes: The scenes that the receiver does not know from this sender, by key.
        sender: Who packed it.
    """

    episodes: tuple[Episode, ...] = ()
    scene_keys: tuple[str, ...] = ()
    scenes: Mapping[str, Scene] = field(default_factory=dict)
    sender: str = ""


class Sender:
    """Packs loads for one receiver.

    Example:
        >>> sender, receiver, scene = Sender(), Receiver(), Scene(units="m")
        >>> first = sender.pack([Episode("a", 1, 0.0, scene=scene)])
        >>> later = sender.pack([Episode("b", 1, 0.0, scene=Scene(units="m"))])
        >>> len(first.scenes), len(later.scenes)
        (1, 0)
        >>> [episode.scene.units for load in (first, later) for episode in receiver.unpack(load)]
        ['m', 'm']
    """

    def __init__(self) -> None:
        self._name = uuid.uuid4().hex
        self._known: dict[str, None] = {}

    def pack(self, episodes: Iterable[Episode]) -> Load:
        """Returns the episodes, scenes that were sent lately replaced by their keys."""
        packed, keys, scenes = [], [], {}
        for episode in episodes:
            key = ""
            if episode.scene is not None:
                key = _key(episode.scene)
                if _use(self._known, key, None):
                    scenes[key] = episode.scene
                episode = dataclasses.replace(episode, scene=None)
            packed.append(episode)
            keys.append(key)
        return Load(tuple(packed), tuple(keys), scenes, self._name)


class Receiver:
    """Unpacks the loads of any number of senders."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Scene | None]] = {}

    def unpack(self, load: Load) -> tuple[Episode, ...]:
        """Returns the episodes with their scenes; None where a record with the scene was lost."""
        known = self._known.pop(load.sender, {})
        self._known[load.sender] = known  # the one heard of last is forgotten last
        for episode, key in zip(load.episodes, load.scene_keys, strict=True):
            if key:
                # What the sender forgets is forgotten here at the same time.
                scene = load.scenes.get(key, known.get(key))
                _use(known, key, scene)
                episode.scene = scene
        while len(self._known) > _SENDERS:
            del self._known[next(iter(self._known))]
        return load.episodes


def _use(known: dict[str, Any], key: str, value: Any) -> bool:
    """Makes `key` the one used last of the few that are known; returns whether it is new."""
    new = key not in known
    known.pop(key, None)
    known[key] = value
    if len(known) > _SCENES:
        del known[next(iter(known))]
    return new


def _key(scene: Scene) -> str:
    digest = hashlib.blake2b(digest_size=16)
    if scene.background is not None:
        digest.update(repr(scene.background.shape).encode())
        digest.update(scene.background.tobytes())
    digest.update(repr((scene.extent, scene.units, scene.axes)).encode())
    digest.update(repr(sorted(scene.places.items())).encode())
    return digest.hexdigest()
