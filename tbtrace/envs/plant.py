"""The plant as a gymnasium environment that says what happens in it, as tbtrace reads it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from tbtrace.envs.factory import Factory
from tbtrace.envs.floor import EXTENT, KINDS, LABELS, LANES, picture
from tbtrace.envs.machines import TICK
from tbtrace.errors import ContractError

Observation = NDArray[np.float32]

DEFAULTS: Mapping[str, float] = MappingProxyType(
    {
        "steps": 300,
        "arrival_interval": 10.0,
        "failure_interval": 400.0,
        "rework_share": 0.08,
    }
)
"""The options of `PlantEnv` and their defaults."""

_PER_LANE = 4
_QUEUE_SCALE, _SECONDS_SCALE, _WAITING_SCALE, _WORK_SCALE = 10.0, 100.0, 10.0, 50.0
_HIGHEST = 9.0  # above what full lanes can give: 10 articles of 70 s and a repair are 7.4
_REWARD_SHIPPED, _COST_SECOND = 0.02, 0.001


class PlantEnv(gym.Env[Observation, np.int64]):
    """Articles enter a plant, are milled, drilled and painted, inspected, and leave.

    The agent dispatches: it picks the station for the article that has waited longest where its
    kind of work begins. One step is `TICK` = 2 s of plant time and at most one dispatch; with
    nothing waiting the action has no effect, and a station whose lane is full is passed over.

    * Action: `Discrete(3)`, which of the three stations of the kind that the article needs.
    * Observation: float32 `(17,)` in [0, 9], mostly below 1: the kind needed (one-hot, zeros when
      nothing waits); for each of its stations the articles sent to it (/ 10), the expected seconds
      until it has done them (/ 100), its mean processing time (/ 100), whether it is down; the
      articles at a gate or on their way to one (/ 10); the articles in work (/ 50).
    * Reward: 0.02 for each article shipped, less 0.001 for each second that articles are in work.
      The seconds before a dispatch are charged as they pass. Those from the dispatch to the next
      one are charged at once, as expected: so a choice costs when it is made, not a hundred steps
      later among the costs of all others, and even if the episode ends before it is paid.
    * An episode is truncated after `steps` steps; it never terminates.

    `info["tbtrace"]` follows tbtrace's info contract:

    * `running`, at the reset and at every step: `work_in_progress` (articles), `queue_length` (by
      station, articles sent to it and not yet worked on), `utilisation` (share of the stations
      that work, 0 to 1), `energy` (kW that the stations draw).
    * `final`, at the last step: `shipped` (articles), `reworked` (failed inspections),
      `throughput` (articles an hour), `lead_time` (mean seconds from entering to leaving over the
      articles shipped; not there if none was).
    * `traces`: the group `articles`, each article in work by name (`"a1"`, ...) with `x` and `y` in
      metres and its `state`: `"travelling"`, `"waiting"`, `"queued"` or `"worked on"`. Articles lie
      up to half a metre off the middle of the belt, so that paths on one belt can be told apart.
    * `scene`, at the reset: the floor plan.

    Every step makes new dicts; only the scene is shared, and its background is read-only.

    Args:
        config: Options, all numbers; an RLlib `EnvContext` is one. `steps` of an episode (at least
            1); `arrival_interval`, mean seconds between two articles, and `failure_interval`, mean
            seconds of work between two breakdowns of a station (above 0; `inf` for none);
            `rework_share`, the chance that an article fails the inspection (0 up to, not
            including, 1).

    Raises:
        ContractError: An option is unknown or out of its range.

    Example:
        >>> env = PlantEnv({"steps": 2})
        >>> _, info = env.reset(seed=1)
        >>> info["tbtrace"]["traces"]["articles"]
        {'a1': {'x': 0.0, 'y': 20.0, 'state': 'travelling'}}
        >>> _, reward, _, truncated, info = env.step(0)
        >>> info["tbtrace"]["running"]["work_in_progress"], reward, truncated
        (1, -0.002, False)
        >>> env.step(0)[4]["tbtrace"]["final"]
        {'shipped': 0, 'reworked': 0, 'throughput': 0.0}
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        options = _checked(config or {})
        self._steps = int(options["steps"])
        self._chances = (
            float(options["arrival_interval"]),
            float(options["failure_interval"]),
            float(options["rework_share"]),
        )
        self._factory: Factory | None = None
        self.action_space = gym.spaces.Discrete(LANES)
        size = len(KINDS) + _PER_LANE * LANES + 2
        self.observation_space = gym.spaces.Box(0.0, _HIGHEST, (size,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Empties the plant and lets the first article in.

        Args:
            seed: Seeds all chance of this and the following episodes; None goes on with it.
            options: Not used.

        Returns:
            The observation and the info, with the scene.
        """
        super().reset(seed=seed)
        factory = self._factory = Factory(self.np_random, *self._chances)
        info = _report(factory)
        info["scene"] = {
            "background": picture(),
            "extent": EXTENT,
            "units": "m",
            "labels": dict(LABELS),
        }
        return _observe(factory), {"tbtrace": info}

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Dispatches the waiting article to station `action` of its kind and runs one tick.

        Args:
            action: 0, 1 or 2.

        Returns:
            Observation, reward, terminated (always False), truncated, info.

        Raises:
            gymnasium.error.ResetNeeded: The environment was not reset yet.
        """
        factory = self._factory
        if factory is None:
            raise gym.error.ResetNeeded("call reset() before the first step()")
        shipped_before = factory.shipped
        factory.advance(int(action))
        truncated = factory.tick >= self._steps
        info = _report(factory)
        if truncated:
            info["final"] = _conclude(factory)
        seconds = factory.waiting_count * TICK + factory.outlook
        reward = _REWARD_SHIPPED * (factory.shipped - shipped_before) - _COST_SECOND * seconds
        return _observe(factory), reward, False, truncated, {"tbtrace": info}


def shortest_work(observation: Observation) -> int:
    """Returns the station that would finish the waiting article first: a good policy to compare to.

    Args:
        observation: Of `PlantEnv`, float32 `(17,)`.

    Example:
        >>> env = PlantEnv()
        >>> observation, _ = env.reset(seed=1)
        >>> while not observation[:3].any():  # nothing waits yet
        ...     observation, *_ = env.step(0)
        >>> shortest_work(observation)  # all are free: mill-3 has the shortest mean time
        2
    """
    lanes = observation[len(KINDS) : -2].reshape(LANES, _PER_LANE)
    return int(np.argmin(lanes[:, 1] + lanes[:, 2]))


def _checked(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options with the defaults for what `config` leaves out."""
    for name in config:
        if name not in DEFAULTS:
            near = difflib.get_close_matches(str(name), DEFAULTS, n=1, cutoff=0.0)
            raise ContractError(f"PlantEnv has no option {name!r}; did you mean {near[0]!r}?")
    options = {**DEFAULTS, **config}
    rules: dict[str, tuple[str, Callable[[Any], bool]]] = {
        "steps": ("an integer of at least 1", lambda value: value >= 1 and value == int(value)),
        "arrival_interval": ("a finite number above 0", lambda value: 0 < value < math.inf),
        "failure_interval": ("a number above 0", lambda value: value > 0),
        "rework_share": ("a number from 0 to below 1", lambda value: 0 <= value < 1),
    }
    for name, (rule, holds) in rules.items():
        try:
            fits = holds(options[name])
        except (TypeError, ValueError, OverflowError):
            fits = False
        if not fits:
            raise ContractError(f"PlantEnv's option {name!r} is {options[name]!r}; give {rule}")
    return options


def _observe(factory: Factory) -> Observation:
    """Returns the observation of `PlantEnv`."""
    needed = factory.waiting
    values = [0.0] * (len(KINDS) + _PER_LANE * LANES)
    if needed is not None:
        values[needed.kind] = 1.0
        at = len(KINDS)
        for station in factory.stations[needed.kind]:
            values[at : at + _PER_LANE] = (
                len(station.lane.articles) / _QUEUE_SCALE,
                station.backlog / _SECONDS_SCALE,
                station.mean / _SECONDS_SCALE,
                float(station.repair > 0),
            )
            at += _PER_LANE
    values.append(min(factory.waiting_count / _WAITING_SCALE, _HIGHEST))
    values.append(min(len(factory.articles) / _WORK_SCALE, _HIGHEST))
    return np.array(values, np.float32)


def _report(factory: Factory) -> dict[str, Any]:
    """Returns what `info["tbtrace"]` says at every step."""
    queues, busy, power = {}, 0, 0.0
    for kind in factory.stations:
        for station in kind:
            queues[station.name] = station.queue
            busy += station.works
            power += station.power
    articles = {}
    for article in factory.articles.values():
        x, y = article.place
        articles[article.name] = {
            "x": x + article.offset,
            "y": y + article.offset,
            "state": article.state,
        }
    return {
        "running": {
            "work_in_progress": len(articles),
            "queue_length": queues,
            "utilisation": busy / len(queues),
            "energy": power,
        },
        "traces": {"articles": articles},
    }


def _conclude(factory: Factory) -> dict[str, float]:
    """Returns the final values of an episode."""
    final: dict[str, float] = {
        "shipped": factory.shipped,
        "reworked": factory.reworked,
        "throughput": factory.shipped * 3600.0 / (factory.tick * TICK),
    }
    if factory.shipped:
        final["lead_time"] = factory.lead_ticks * TICK / factory.shipped
    return final
