"""README and docs: their links lead somewhere, their Python parses and names what exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import tbtrace

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_parses_and_names_what_exists(page: Path) -> None:
    for block in BLOCK.findall(page.read_text()):
        for node in ast.walk(ast.parse(block)):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "tbtrace"
            ):
                assert hasattr(tbtrace, node.attr), f"{page.name}: tbtrace.{node.attr}"


def test_readme_has_python() -> None:
    assert BLOCK.search((ROOT / "README.md").read_text())
