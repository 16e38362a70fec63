"""The statistics of an iteration, recomputed as naively as possible."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any


def expected_metrics(episodes: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Returns what `custom_metrics` must hold for these episodes."""
    per_episode: dict[str, list[float]] = {}
    for episode in episodes:
        for name, values in episode["running"].items():
            per_episode.setdefault(f"{name}_avg", []).append(sum(values) / len(values))
            per_episode.setdefault(f"{name}_sum", []).append(sum(values))
        for name, value in episode["final"].items():
            per_episode.setdefault(name, []).append(value)
    metrics = {}
    for name, values in per_episode.items():
        metrics[f"{name}_mean"] = sum(values) / len(values)
        metrics[f"{name}_min"] = min(values)
        metrics[f"{name}_max"] = max(values)
    return metrics


def assert_equal(metrics: Mapping[str, float], expected: Mapping[str, float]) -> None:
    """Holds when every expected metric is there, to 1e-9, and every other one is NaN."""
    for name, value in expected.items():
        assert math.isclose(metrics[name], value, rel_tol=1e-9, abs_tol=1e-12), name
    for name in metrics.keys() - expected.keys():
        assert math.isnan(metrics[name]), name
