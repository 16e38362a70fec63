"""Infos as they arrive in RLlib's episodes, from sub-environments that no tap can reach."""

from __future__ import annotations

import dataclasses
from typing import Any

from tbtrace.envs.record import Handover
from tbtrace.episode import Episode
from tbtrace.info import MAPPING
from tbtrace.recording import HANDED_OVER, Recording

_FINAL = ("final_info", "final_obs")


class Arrivals:
    """Reads what arrives from one sub-environment into its recording.

    With SAME_STEP autoreset the info of an episode's last step is in `"final_info"` of one that is
    otherwise the next reset's. RLlib does not know that mode: it begins the next episode with the
    info of its first step, and loses that step's reward. Here the reset's info is kept for it.

    Args:
        recording: The recording of the sub-environment.
    """

    __slots__ = ("_has_just_ended", "_recording", "_reset_info")

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._reset_info: dict[Any, Any] | None = None
        self._has_just_ended = False

    def create(self) -> None:
        """Takes note of a new episode.

        RLlib makes one right after an end, or else because it is about to reset the environment.
        """
        if not self._has_just_ended:
            self._reset_info = None
        self._has_just_ended = False

    def start(self, info: Any) -> None:
        """Reads the first info of an episode."""
        begun, self._reset_info = self._reset_info, None
        if begun is None:
            self._recording.reset(None, info)
            return
        self._recording.reset(None, begun)
        final = final_info(info)
        if final is None:
            self._recording.step(None, info, 0.0, False)
        else:  # an episode of one step; to RLlib the next one is the first
            self._recording.step(None, final, 0.0, True)
            self._recording.reset(None, _without_final(info))

    def step(self, info: Any, reward: Any, done: bool) -> None:
        """Reads the info of a later step."""
        final = final_info(info)
        if final is not None:
            self._reset_info = _without_final(info)
            info = final
        self._recording.step(None, info, reward, done)

    def end(self) -> None:
        """Takes note that RLlib has ended the episode."""
        self._has_just_ended = True


class HandedOver:
    """An episode that its environment has recorded itself, in the place of a tape."""

    __slots__ = ("_episode",)

    def __init__(self, episode: Episode) -> None:
        self._episode = episode

    def finish_values(self, uid: str) -> Episode:
        """Returns the episode as `uid`, without traces, media and scene."""
        return dataclasses.replace(self._episode, uid=uid, traces={}, media={}, scene=None)

    def finish_traces(self, episode: Episode) -> None:
        """Gives the episode of `finish_values` its traces, media and scene."""
        episode.traces = self._episode.traces
        episode.media = self._episode.media
        episode.scene = self._episode.scene


def final_info(info: Any) -> dict[Any, Any] | None:
    """Returns the info of an episode's last step out of that of the reset in the same step."""
    final = info.get("final_info") if isinstance(info, MAPPING) else None
    return final if isinstance(final, dict) else None


def take_handover(info: Any) -> Handover | None:
    """Takes what is handed over out of an episode's last info: it would go on to learners."""
    final = final_info(info)
    holder = info if final is None else final
    handover = holder.pop(HANDED_OVER, None) if isinstance(holder, dict) else None
    return handover if isinstance(handover, Handover) else None


def _without_final(info: dict[Any, Any]) -> dict[Any, Any]:
    return {key: value for key, value in info.items() if key not in _FINAL}
