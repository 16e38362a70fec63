"""An environment whose values say which episode they are of; an auditor of what RLlib counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ray.rllib.callbacks.callbacks import RLlibCallback
from scripted import ScriptedEnv

import tbtrace

AUDITED = "audited"


class CountingEnv(ScriptedEnv):
    """Says its episode's number at every step, so that an average of two episodes is of none.

    The numbers are whole, and their sums over an episode are exact in a float.
    """

    def _info(self, done: bool = False) -> dict[str, Any]:
        running = {"key": float(self.key), "at": float(self._step)}
        said: dict[str, Any] = {"running": running, "traces": {"way": (self.key, self._step)}}
        for name, value in running.items():
            self._emitted.setdefault(name, []).append(value)
        if done:
            said["final"] = self._final = {"one": 1.0}
        return {"tbtrace": said, "key": self.key}


def recorded(config: Mapping[str, Any]) -> tbtrace.RecordTraces:
    """Makes one that records itself."""
    return tbtrace.RecordTraces(CountingEnv(config), strict=True)


class Auditor(RLlibCallback):
    """Writes down through RLlib alone which episodes it counts, and in which evaluation.

    RLlib emits an evaluation's numbers again in the next training result, so the evaluations are
    noted when they end: in the algorithm's `evaluations`, a list of `env_runners` metrics.
    """

    def on_algorithm_init(self, *, algorithm: Any, **kwargs: Any) -> None:
        algorithm.evaluations = []

    def on_episode_end(self, *, episode: Any, metrics_logger: Any, **kwargs: Any) -> None:
        key = int(episode.get_infos(-1)["key"])
        metrics_logger.log_value(AUDITED, f"{episode.id_} {key}", reduce="item_series")

    def on_evaluate_end(
        self, *, algorithm: Any, evaluation_metrics: Mapping[str, Any], **kwargs: Any
    ) -> None:
        algorithm.evaluations.append(dict(evaluation_metrics.get("env_runners", {})))


def audited(metrics: Mapping[str, Any]) -> dict[str, int]:
    """Reads `{uid: key}` of the episodes that RLlib counted: a list, a bare item, NaN, nothing.

    Holds when RLlib's own number of episodes is the same.
    """
    value = metrics.get(AUDITED)
    items = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    counted = {uid: int(key) for uid, key in (item.split() for item in items)}
    number = metrics.get("num_episodes", 0.0)
    assert len(items) == len(counted) == (0 if math.isnan(number) else number)
    return counted
