"""Each setting says from which task group on it is used, and no line of an earlier one reads it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from fixtures import runbook
from fixtures.model.ids import ROLLBACK
from fixtures.settings import Settings, Variable, variables

ROOT = Path(__file__).parents[2]
GROUPS = (*(group.id for group in runbook.GROUPS), ROLLBACK)
DERIVED = {
    "may_pause": "flow_policy", "exact_library": "stamps", "writes_values_by_sql": "stamps",
    "restores_stamps": "stamps", "api_budget": "api_p95_ms", "page_budget": "page_load_ms",
    "migration_dir": "backend_repo", "backups_dir": "backend_repo", "host": "directus_url",
}  # fmt: skip
"""Properties of Settings, with the setting each is made of."""
OF_ALL = ("secrets", "fingerprint", "inputs", "target")


@pytest.mark.parametrize("variable", variables(), ids=lambda variable: variable.name)
def test_a_setting_names_its_first_group_or_why_it_decides_no_verdict(variable: Variable) -> None:
    """`since` or `never` of its `_var`: without it a verdict could count although what it rests on was changed."""
    assert bool(variable.since) != bool(variable.never), "give it since= or never="
    assert not variable.since or variable.since in GROUPS


def test_every_property_of_the_settings_is_known_here() -> None:
    assert {name for name, value in vars(Settings).items() if isinstance(value, property)} <= {*DERIVED, *OF_ALL}


def read_in(module: Path) -> set[str]:
    """Names `settings.<name>` in a module of a task group."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    read = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "settings"
    }
    return {DERIVED.get(name, name) for name in read} - set(OF_ALL)


@pytest.mark.parametrize("group", runbook.GROUPS, ids=lambda group: group.id)
def test_no_line_reads_a_setting_of_a_later_group(group: runbook.Group) -> None:
    since = {each.field: each.since for each in variables()}
    (module,) = (ROOT / "phases").glob(f"test_{group.id.replace('.', '_')}_*.py")
    assert {name: since[name] for name in read_in(module) if since[name] > group.id} == {}


def test_a_setting_read_too_early_is_seen(tmp_path: Path) -> None:
    module = tmp_path / "early.py"
    module.write_text("def test(settings):\n    return settings.may_pause, settings.user_map, settings.secrets\n")
    assert read_in(module) == {"flow_policy", "user_map"}
