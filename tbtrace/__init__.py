"""tbtrace: what an RLlib environment says in its info dict, in TensorBoard.

An environment says in `info` what happens in each step. tbtrace turns that into exact per-episode
scalars and histograms and draws the traces of entities, in the run that Ray Tune already writes::

    config = PPOConfig().environment(PlantEnv).callbacks(tbtrace.EpisodeRecorder)
    tuner = tune.Tuner("PPO", param_space=config,
                       run_config=tune.RunConfig(callbacks=[tbtrace.TraceLoggerCallback()]))

The names below are imported when they are first used: `ray.rllib` alone costs seconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tbtrace import select, views
    from tbtrace.archive.reader import open_archive
    from tbtrace.archive.retention import Retention
    from tbtrace.envs.record import RecordTraces, collect
    from tbtrace.episode import Episode, Media, Scene, Series, Trace
    from tbtrace.options import Reporting
    from tbtrace.report import RunReporter
    from tbtrace.rllib.recorder import EpisodeRecorder
    from tbtrace.tune import TraceLoggerCallback

__version__ = "0.1.0"

_HOMES = {
    "Episode": "tbtrace.episode",
    "EpisodeRecorder": "tbtrace.rllib.recorder",
    "Media": "tbtrace.episode",
    "RecordTraces": "tbtrace.envs.record",
    "Reporting": "tbtrace.options",
    "Retention": "tbtrace.archive.retention",
    "RunReporter": "tbtrace.report",
    "Scene": "tbtrace.episode",
    "Series": "tbtrace.episode",
    "Trace": "tbtrace.episode",
    "TraceLoggerCallback": "tbtrace.tune",
    "collect": "tbtrace.envs.record",
    "open_archive": "tbtrace.archive.reader",
    "select": "",
    "views": "",
}

__all__ = [
    "Episode",
    "EpisodeRecorder",
    "Media",
    "RecordTraces",
    "Reporting",
    "Retention",
    "RunReporter",
    "Scene",
    "Series",
    "Trace",
    "TraceLoggerCallback",
    "collect",
    "open_archive",
    "select",
    "views",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tbtrace' has no attribute {name!r}")
    if not home:
        return importlib.import_module(f"tbtrace.{name}")
    value: object = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
