"""A whole runbook of empty pages, to be bent: each line is a test that passes unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import runbook
from fixtures.settings import variables

ROOT = Path(__file__).resolve().parents[2]

CONFTEST = """
pytest_plugins = [
    "fixtures.plugins.options", "fixtures.plugins.gating", "fixtures.plugins.recording",
    "fixtures.plugins.session_start", "fixtures.plugins.rerun",
]
"""

INI = f"""
[pytest]
addopts = -p no:cacheprovider -p no:anyio -p no:hypothesispytest --strict-markers
pythonpath = {ROOT}
"""

Pages = Callable[..., pytest.Pytester]


def page(group: str, bodies: dict[str, str]) -> str:
    """The source of one phase module; *bodies* replaces the body of single lines, by id."""
    lines = [
        "import pytest",
        "from fixtures.marks import acceptance, action, gate, task_group",
        f'pytestmark = task_group("{group}")',
    ]
    for line in runbook.lines_of(group):
        mark = "action" if line.kind == "step" else "acceptance"
        name = line.id.replace(".", "_").lower()
        lines += [f'@{mark}("{line.id}")', f"def test_{name}():", f"    {bodies.get(line.id, 'assert True')}"]
    lines += [f'@gate("{group}")', "def test_gate():", "    assert True"]
    return "\n".join(lines)


@pytest.fixture
def pages(pytester: pytest.Pytester) -> Pages:
    """`pages({"1.4.2": "assert False"})` writes every module and a configuration for target staging."""

    def write(bodies: dict[str, str] | None = None, only: tuple[str, ...] = ()) -> pytest.Pytester:
        pytester.makefile(".ini", pytest=INI)
        pytester.makeconftest(CONFTEST)
        (pytester.path / ".env.staging").write_text(environment(pytester.path))
        phases = pytester.path / "phases"
        phases.mkdir(exist_ok=True)
        for group in runbook.GROUPS:
            if not only or group.id in only:
                file = phases / f"test_{group.id.replace('.', '_')}_page.py"
                file.write_text(page(group.id, bodies or {}))
        return pytester

    return write


def environment(folder: Path) -> str:
    """A `.env.staging` in which every required variable has a value of the right form. Nothing is ever connected to."""
    example = {"Url": "http://127.0.0.1:9", "Path": str(folder), "PostgresUrl": "postgresql://u:p@127.0.0.1:9/d"}
    required = [variable for variable in variables() if variable.required and variable.name != "SITE_MAP"]
    (folder / "site.toml").write_text(site_map(workflows=3))
    names = [f"{each.name}={example.get(each.form, 'value-of-it')}" for each in required]
    return "\n".join([*names, f"SITE_MAP={folder / 'site.toml'}"])


def site_map(*, workflows: int, steps: str = '{ open = "/" }') -> str:
    """A site of one page, with so many workflows."""
    page = '[site]\nready = "main"\n[[pages]]\npath = "/"\ntitle = "T"\ncollection = "c"\nlist = "ul"\nitem = "li"\n'
    journeys = (f'[[workflows]]\nname = "{number}"\nsteps = [{steps}]\n' for number in range(workflows))
    return page + "page_size = 10\n" + "".join(journeys)
