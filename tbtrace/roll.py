"""The roll: the first agents of a run, those that get metrics of their own."""

from __future__ import annotations

import dataclasses

from tbtrace.agents import ENVIRONMENT
from tbtrace.episode import Episode, Series


class Roll:
    """The first agents of a run, in the order of first sight.

    Args:
        most: How many agents; 0 is none.

    Example:
        >>> roll = Roll(1)
        >>> roll.admit("a"), roll.admit("b"), roll.admit("a"), roll.refused
        (True, False, True, 'b')
    """

    def __init__(self, most: int) -> None:
        self.agents: dict[str, None] = {}
        self.refused = ""
        self._most = most

    def admit(self, agent: str) -> bool:
        """Tells whether the agent is on the roll, where it is put while there is room.

        The first one that is not is remembered as `refused`, unless the roll is for none at all.
        """
        if agent in self.agents:
            return True
        if agent == ENVIRONMENT or not self._most:
            return False
        if len(self.agents) < self._most:
            self.agents[agent] = None
            return True
        self.refused = self.refused or agent
        return False


def own_name(agent: str, name: str) -> str:
    """Returns the name of an agent's own quantity."""
    return f"agents/{agent}/{name}"


def with_own(episode: Episode, roll: Roll) -> Episode:
    """Returns the episode with `agents/<agent>/<name>` of the agents on the roll besides.

    Agents that the roll does not know yet are put on it while there is room. What an environment
    itself calls so stays as it is.

    Example:
        >>> import numpy as np
        >>> speed = Series(*(np.array(x) for x in ([0, 0], [1.0, 3.0], [0, 1])))
        >>> pooled = Episode("uid", 1, 0.0, {"speed": speed}, agents={"a": {}, "b": {}})
        >>> own = with_own(pooled, Roll(1)).running
        >>> {name: series.values.tolist() for name, series in own.items()}
        {'speed': [1.0, 3.0], 'agents/a/speed': [1.0]}
    """
    running: dict[str, Series] = dict(episode.running)
    final = dict(episode.final)
    for index, (agent, finals) in enumerate(episode.agents.items()):
        if not roll.admit(agent):
            continue
        for name, series in episode.running.items():
            if series.agents is None:
                continue
            its = series.agents == index
            if its.any() or index in series.tallies:
                own = Series(series.steps[its], series.values[its], None, series.tallies.get(index))
                running.setdefault(own_name(agent, name), own)
        for name, value in finals.items():
            final.setdefault(own_name(agent, name), value)
    return dataclasses.replace(episode, running=running, final=final) if episode.agents else episode
