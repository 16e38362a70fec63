"""The loader: what TensorBoard finds when tbtrace is installed, and imports at every start.

An exception while this module is imported would end the whole `tensorboard` command. So it imports
the standard library and TensorBoard alone; everything else is imported by `load`, and what goes
wrong there costs the tab and one line.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Any

from tensorboard.plugins import base_plugin

PICTURES = 500
"""So many pictures a tag TensorBoard is asked to keep; by itself it keeps 10."""

KEEP_FLAGS = "TBTRACE_KEEP_FLAGS"
"""The environment variable that leaves TensorBoard's flags as they are, when it is `1`."""


class TracesLoader(base_plugin.TBLoader):  # type: ignore[misc]  # TensorBoard ships no types
    """Loads the Traces tab; TensorBoard makes one from the entry point `tensorboard_plugins`."""

    def fix_flags(self, flags: Any) -> None:
        """Raises TensorBoard's limit of pictures a tag, and lets it follow several event files.

        What the user says wins. Says in one line what was changed. Flags that this version of
        TensorBoard does not have stay away.

        Args:
            flags: TensorBoard's parsed command line.
        """
        if os.environ.get(KEEP_FLAGS) == "1" or not _serves(flags):
            return
        changed = []
        samples = getattr(flags, "samples_per_plugin", None)
        if isinstance(samples, MutableMapping) and "images" not in samples:
            samples["images"] = PICTURES
            changed.append(f"--samples_per_plugin images={PICTURES}")
        if getattr(flags, "reload_multifile", True) is None:
            flags.reload_multifile = True
            changed.append("--reload_multifile true")
        if changed:
            said = f"tbtrace: TensorBoard runs with {' and '.join(changed)}"
            print(f"{said} ({KEEP_FLAGS}=1 leaves its flags alone)", file=sys.stderr, flush=True)

    def load(self, context: Any) -> Any:
        """Returns the plugin, or None where it cannot be loaded: TensorBoard goes on without it.

        Args:
            context: TensorBoard's `TBContext`.
        """
        try:
            from tbtrace.board.plugin import TracesPlugin

            return TracesPlugin(context)
        except Exception as error:
            said = " ".join(f"{type(error).__name__}: {error}".split())
            logging.getLogger("tbtrace").warning("tbtrace: there is no Traces tab (%s)", said)
            return None


def _serves(flags: Any) -> bool:
    return not (getattr(flags, "version_tb", False) or getattr(flags, "inspect", False))
