"""Views: episodes in, a picture out."""

from __future__ import annotations

from tbtrace.views.base import Picture, View
from tbtrace.views.context import Context
from tbtrace.views.paths import Paths

__all__ = ["Context", "Paths", "Picture", "View"]
