"""Views: episodes in, a picture out."""

from __future__ import annotations

from tbtrace.views.base import Picture, View
from tbtrace.views.context import Context
from tbtrace.views.paths import Paths
from tbtrace.views.series import Series
from tbtrace.views.timeline import Timeline
from tbtrace.views.timespace import TimeSpace

__all__ = ["Context", "Paths", "Picture", "Series", "TimeSpace", "Timeline", "View"]
