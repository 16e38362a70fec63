"""Who may import whom, and what importing costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tbtrace

PACKAGE = Path(tbtrace.__file__).parent
CORE = {
    "agents",
    "census",
    "episode",
    "errors",
    "handout",
    "info",
    "plain",
    "points",
    "recording",
    "reel",
    "roll",
    "sample",
    "scene",
    "select",
    "sheet",
    "stats",
    "tape",
    "traces",
    "track",
    "tracks",
    "turns",
    "worker",
}
RULES = {
    "draw": {"errors"},
    "events": {"errors", "info"},
    "views": CORE | {"draw"},
    "envs": CORE,
    "plan": CORE | {"views"},
    "archive": CORE,
    "archivist": CORE | {"archive"},
    "axis": {"errors"},
    "about": CORE | {"events", "views"},
    "artist": CORE | {"draw", "events", "plan", "views"},
    "lane": CORE | {"artist"},
    "studio": CORE | {"artist", "lane"},
    "shelf": CORE | {"events"},
    "options": CORE | {"archive", "axis", "views"},
    "scribe": CORE | {"about", "archivist", "artist", "events", "plan", "studio", "views"},
    "report": CORE
    | {"about", "archivist", "artist", "events", "options", "scribe", "shelf", "studio", "views"},
    "rllib": CORE | {"axis", "envs", "options", "report"},
    "tune": CORE | {"events", "options", "report", "rllib", "shelf"},
    "demo": CORE | {"envs", "rllib", "tune"},
    "replay": CORE | {"options", "report"},
    "board": {"archive", "errors"},
    "cli": CORE | {"archive", "board", "demo", "events", "plan", "replay", "shelf", "views"},
    "__main__": {"cli"},
    "__init__": {*CORE, "archive", "envs", "options", "report", "rllib", "tune", "views"},
    **dict.fromkeys(CORE, CORE),
}
"""Room: the rooms of tbtrace that it may import, besides itself."""

FOREIGN = {
    **{room: {"numpy"} for room in CORE},
    "draw": {"numpy", "matplotlib", "PIL"},
    "views": {"numpy"},
    "events": {"numpy", "tensorboard", "tensorboardX", "crc32c"},
    "envs": {"numpy", "gymnasium"},
    "plan": set(),
    "archive": {"numpy", "pyarrow"},
    "archivist": {"pyarrow"},
    "axis": set(),
    "about": set(),
    "artist": set(),
    "lane": set(),
    "studio": set(),
    "shelf": {"pyarrow"},
    "options": {"cloudpickle"},
    "report": set(),
    "scribe": set(),
    "rllib": {"ray", "gymnasium"},
    "tune": {"ray"},
    "demo": {"numpy", "ray"},
    "replay": {"numpy", "pyarrow", "msgpack", "lz4"},
    "board": {"numpy", "pyarrow", "PIL", "tensorboard", "werkzeug"},
    "cli": {"numpy", "pyarrow", "PIL", "rich", "crc32c", "tensorboard", "rerun"},
    "__main__": set(),
    "__init__": set(),
}
"""Room: the packages from outside that it may import."""

MODULES = sorted(PACKAGE.rglob("*.py"))


def _room(module: Path) -> str:
    parts = module.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else module.stem


def _imports(module: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            assert node.module is not None
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_room_may(module: Path) -> None:
    room = _room(module)
    for name in _imports(module):
        top, _, rest = name.partition(".")
        if top == "tbtrace":
            other = rest.split(".")[0]
            known = other in RULES
            assert not known or other == room or other in RULES[room], f"{module} imports {name}"
        elif top not in sys.stdlib_module_names:
            assert top in FOREIGN[room], f"{module} imports {name}"


def test_every_room_has_its_rules() -> None:
    rooms = {_room(module) for module in MODULES}
    assert rooms == set(RULES) == set(FOREIGN)


def _loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_tbtrace_loads_nothing_heavy() -> None:
    loaded = _loaded_after("import tbtrace")
    assert not loaded & {"ray", "matplotlib", "tensorboard", "tensorboardX", "torch", "numpy"}


@pytest.mark.parametrize("module", sorted(CORE))
def test_the_core_loads_numpy_alone(module: str) -> None:
    loaded = _loaded_after(f"import tbtrace.{module}")
    assert not loaded & {"ray", "matplotlib", "tensorboard", "tensorboardX", "torch", "PIL"}


def test_views_and_the_reporter_work_without_ray() -> None:
    loaded = _loaded_after("from tbtrace import views, RunReporter, Reporting, Episode")
    assert "ray" not in loaded


def test_the_boards_loader_imports_nothing_of_ours_before_it_loads() -> None:
    tree = ast.parse((PACKAGE / "board/loader.py").read_text())
    first = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert first == {"__future__", "collections.abc", "typing", "tensorboard.plugins"}
    loaded = _loaded_after("import tbtrace.board.loader")
    assert not loaded & {"numpy", "pyarrow", "pandas", "PIL", "ray"}


def test_the_board_lists_runs_without_numpy_and_pyarrow() -> None:
    loaded = _loaded_after("import tbtrace.board.finder, tbtrace.board.faults")
    assert not loaded & {"numpy", "pyarrow", "tensorboard"}
    tree = ast.parse((PACKAGE / "board/plugin.py").read_text())
    first = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    light = {f"tbtrace.board.{name}" for name in ("faults", "finder", "found", "logdirs")}
    assert {name for name in first if name and name.startswith("tbtrace")} == light


def test_public_names_are_there() -> None:
    for name in tbtrace.__all__:
        assert getattr(tbtrace, name) is not None
    assert set(tbtrace.__all__) <= set(dir(tbtrace))
    with pytest.raises(AttributeError, match="EpisodeRecordr"):
        _ = tbtrace.EpisodeRecordr


def test_modules_are_short() -> None:
    long = [path.name for path in MODULES if len(path.read_text().splitlines()) > 300]
    assert not long
