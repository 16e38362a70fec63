"""Load: episodes on their way to another process, each scene only the first time.

A scene (a floor plan of some hundred kB, say) is the same in episode after episode. The sender
replaces it by a key that it makes of the contents; the receiver remembers what belongs to the key.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tbtrace.episode import Episode, Scene

_SENDER_KNOWS = 8
_RECEIVER_KNOWS = 64


@dataclass(frozen=True, slots=True)
class Load:
    """Episodes as they travel.

    Attributes:
        episodes: The episodes, without their scenes.
        scene_keys: The key of each episode's scene; empty where it gave none.
        scenes: The scenes that the receiver may not know yet, by key.
    """

    episodes: tuple[Episode, ...] = ()
    scene_keys: tuple[str, ...] = ()
    scenes: Mapping[str, Scene] = field(default_factory=dict)


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
        self._known: dict[str, None] = {}

    def pack(self, episodes: Iterable[Episode]) -> Load:
        """Returns the episodes, scenes that were sent lately replaced by their keys."""
        packed, keys, scenes = [], [], {}
        for episode in episodes:
            key = ""
            if episode.scene is not None:
                key = _key(episode.scene)
                if key not in self._known:
                    scenes[key] = episode.scene
                self._known.pop(key, None)
                self._known[key] = None
                episode = dataclasses.replace(episode, scene=None)
            packed.append(episode)
            keys.append(key)
        while len(self._known) > _SENDER_KNOWS:
            del self._known[next(iter(self._known))]
        return Load(tuple(packed), tuple(keys), scenes)


class Receiver:
    """Unpacks the loads of any number of senders."""

    def __init__(self) -> None:
        self._known: dict[str, Scene] = {}

    def unpack(self, load: Load) -> tuple[Episode, ...]:
        """Returns the episodes with their scenes; None where the scene was never received."""
        known = self._known
        known.update(load.scenes)
        for episode, key in zip(load.episodes, load.scene_keys, strict=True):
            scene = known.pop(key, None)
            if scene is not None:
                known[key] = scene  # the one used last is forgotten last
            episode.scene = scene
        while len(known) > _RECEIVER_KNOWS:
            del known[next(iter(known))]
        return load.episodes


def _key(scene: Scene) -> str:
    digest = hashlib.blake2b(digest_size=16)
    if scene.background is not None:
        digest.update(repr(scene.background.shape).encode())
        digest.update(scene.background.tobytes())
    digest.update(repr((scene.extent, scene.units, scene.axes)).encode())
    digest.update(repr(sorted(scene.places.items())).encode())
    return digest.hexdigest()
