"""What is installed; loads nothing that may be missing."""

from __future__ import annotations

import platform
from importlib import metadata

_NEEDED = ("tensorboard", "tensorboardX", "numpy", "pyarrow", "pillow", "matplotlib", "crc32c")
_WELCOME = ("ray", "torch", "tensorboard-data-server", "rerun-sdk")


def versions() -> dict[str, str | None]:
    """Returns the version of everything that matters; None where it is not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in ("tbtrace", *_NEEDED, *_WELCOME):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def missing(installed: dict[str, str | None]) -> list[str]:
    """Returns what to fix of the installation, a sentence each."""
    return [
        f"{package} is not installed, and tbtrace needs it: pip install {package}"
        for package in _NEEDED
        if installed[package] is None
    ]


def data_server() -> str | None:
    """Returns why TensorBoard's fast data server is not active here; None where it is."""
    from tensorboard.data import server_ingester

    try:
        server_ingester.get_server_binary()
    except server_ingester.NoDataServerError as error:
        return " ".join(str(error).split())
    return None


def plugin() -> bool:
    """Tells whether tbtrace's own TensorBoard dashboard is installed."""
    return any(
        entry.name == "tbtrace" for entry in metadata.entry_points(group="tensorboard_plugins")
    )
