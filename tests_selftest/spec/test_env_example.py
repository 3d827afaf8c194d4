"""`.env.example` says exactly what `fixtures.settings` reads: no variable more, none less, each with its purpose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.operations.lanes import LANES
from fixtures.settings import ConfigurationError, Target, Variable, load, variables

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"

# Read by the session itself, before there are settings; they choose and confirm the target.
OF_THE_SESSION = ("MIGRATION_TARGET", "MIGRATION_CONFIRM_HOST")


@dataclass(frozen=True)
class Entry:
    """One variable of the file: whether it stands open, its example, the comment right above it."""

    name: str
    active: bool
    example: str
    comment: str


def entries() -> list[Entry]:
    found, above = [], ""
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"(?P<off># )?(?P<name>[A-Z][A-Z0-9_]+)=(?P<example>.*)", line)
        if match:
            found.append(Entry(match["name"], match["off"] is None, match["example"], above))
        above = line.removeprefix("# ")
    return found


def required() -> set[str]:
    return {variable.name for variable in variables() if variable.required}


def test_every_variable_is_listed_once_in_the_order_of_the_settings() -> None:
    names = [entry.name for entry in entries()]
    assert names == [*OF_THE_SESSION, *(variable.name for variable in variables())]


@pytest.mark.parametrize("variable", variables(), ids=lambda variable: variable.name)
def test_the_comment_above_is_the_purpose(variable: Variable) -> None:
    entry = next(entry for entry in entries() if entry.name == variable.name)
    assert entry.comment == variable.purpose


def test_required_variables_are_set_and_optional_ones_commented_out() -> None:
    assert {entry.name for entry in entries() if entry.active} == required()


def test_a_default_shown_is_the_default_used() -> None:
    shown = {entry.name: entry.example for entry in entries() if not entry.active}
    checked = [each for each in variables() if isinstance(each.default, str | float) and each.default]
    assert len(checked) > 10
    for variable in checked:
        used = f"{variable.default:g}" if isinstance(variable.default, float) else variable.default
        assert shown[variable.name] == used


def test_the_file_filled_with_existing_paths_is_a_valid_configuration(tmp_path: Path) -> None:
    paths = {variable.name for variable in variables() if variable.form == "Path"}
    environment = {entry.name: entry.example for entry in entries() if entry.active}
    environment |= {name: str(tmp_path) for name in paths & set(environment)}
    assert load(Target.STAGING, environment, source=".env.example").render_postgres == "udo-db"


def test_an_example_that_was_not_filled_in_is_refused_for_its_missing_paths() -> None:
    environment = {entry.name: entry.example for entry in entries() if entry.active}
    environment["FRONTEND_REPO"] = "/nowhere/frontend"
    with pytest.raises(ConfigurationError, match=r"FRONTEND_REPO is malformed: /nowhere/frontend does not exist"):
        load(Target.STAGING, environment, source=".env.example")


def test_the_variables_of_the_session_are_the_ones_it_reads() -> None:
    source = (ROOT / "fixtures/plugins/session.py").read_text(encoding="utf-8")
    assert [name for name in OF_THE_SESSION if f'"{name}"' not in source] == []


def test_the_choices_of_the_lane_are_the_lanes() -> None:
    """A choice without a lane would fail in 4.2, after the schema was changed; a lane without a choice is no use."""
    (lane,) = (each for each in variables() if each.name == "IMPORT_LANE")
    assert set(lane.choices) == set(LANES)
