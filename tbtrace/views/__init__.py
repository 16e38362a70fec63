"""Views: episodes in, a picture out."""

from __future__ import annotations

from tbtrace.views.animation import Animation
from tbtrace.views.base import Picture, View
from tbtrace.views.context import Context
from tbtrace.views.figure import Figure
from tbtrace.views.frames import Frames
from tbtrace.views.heatmap import Heatmap
from tbtrace.views.paths import Paths
from tbtrace.views.series import Series
from tbtrace.views.timeline import Timeline
from tbtrace.views.timespace import TimeSpace

__all__ = [
    "Animation",
    "Context",
    "Figure",
    "Frames",
    "Heatmap",
    "Paths",
    "Picture",
    "Series",
    "TimeSpace",
    "Timeline",
    "View",
]
