"""A row travels with its own columns only, its references rewritten, in batches a server takes, parents first."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.checks.rows import refusals, rewriting, users
from fixtures.checks.rows.rewriting import EmbeddedKeys
from fixtures.model.dataset import CollectionProfile, ExportedFile, Reference
from fixtures.model.key_map import KeyMap
from fixtures.operations.imports.import_log import (
    CREATED,
    REFUSED,
    SKIPPED,
    ImportLog,
    has_ended,
    is_complete_copy,
    tally,
)
from fixtures.operations.imports.journal import Journal
from fixtures.operations.lane_api.batches import Limits, encode_row, make_batches, row_converter
from fixtures.operations.source import export_reader
from fixtures.process.files import sha256

PROFILE = CollectionProfile(
    name="blocks",
    key="id",
    key_type="integer",
    singleton=False,
    columns=("collection", "id", "item", "owner", "term"),
    references=(
        Reference("item", "definitions", nullable=True, discriminator="collection"),
        Reference("item", "sections", nullable=True, discriminator="collection"),
        Reference("owner", "directus_users", nullable=True),
        Reference("term", "definitions", nullable=True),
    ),
)
KEYS = KeyMap(users={"u-local": "u-there"}, natural_key_matches={"definitions": {"d1": "d9"}, "sections": {"5": "6"}})


def test_alias_fields_never_travel() -> None:
    assert rewriting.rewrite_row({"id": 1, "children": [2, 3]}, PROFILE, KEYS) == {"id": 1}


def test_references_are_rewritten_to_productions_keys() -> None:
    row = {"id": 1, "collection": "definitions", "item": "d1", "owner": "u-local", "term": "d1"}
    assert rewriting.rewrite_row(row, PROFILE, KEYS) == {**row, "item": "d9", "owner": "u-there", "term": "d9"}


def test_an_any_reference_is_rewritten_by_the_collection_it_names() -> None:
    row = {"id": 1, "collection": "sections", "item": "5", "term": None}
    assert rewriting.rewrite_row(row, PROFILE, KEYS)["item"] == "6"
    assert rewriting.rewrite_row({**row, "item": "d1"}, PROFILE, KEYS)["item"] == "d1"


def test_a_reference_to_a_row_with_another_number_stays_a_number() -> None:
    """As text it would differ from what Directus shows of the very same row."""
    assert (KEYS.key("sections", 5), KEYS.key("sections", "5"), KEYS.key("sections", 7)) == (6, "6", 7)


def test_a_row_of_a_user_production_does_not_have_is_refused_and_never_given_to_another() -> None:
    sent = rewriting.rewrite_row({"id": 1, "owner": "u-gone"}, PROFILE, KEYS)
    assert sent["owner"] == "u-gone"
    refusal = refusals.reference_refusal(sent, PROFILE, {"directus_users": {"u-there"}}, {})
    assert refusal is not None
    assert (refusal.code, refusal.key) == (refusals.UNKNOWN_USER, "1")
    assert [finding.code for finding in refusals.refusal_findings([refusal])] == ["MIG-418"]
    ours = rewriting.rewrite_row({"id": 1, "owner": "u-local"}, PROFILE, KEYS)
    assert refusals.reference_refusal(ours, PROFILE, {"directus_users": {"u-there"}}, {}) is None


def test_a_person_is_found_by_e_mail_or_by_what_was_said_and_else_not_at_all() -> None:
    local = {"1": "Ada@example.org", "2": "former@example.org", "3": "nobody@example.org"}
    there = [{"id": "a", "email": "ada@Example.org"}, {"id": "b", "email": "editor@example.org"}, {"id": "c"}]
    said = {"former@example.org": "editor@example.org", "nobody@example.org": "gone@example.org"}
    assert users.match_users(local, there, said) == {"1": "a", "2": "b"}


UUIDS = [f"{n:08x}-0000-4000-8000-00000000000{n}" for n in range(1, 4)]
INSIDE = EmbeddedKeys(
    KeyMap(users={}, natural_key_matches={"definitions": {UUIDS[0]: UUIDS[1]}, "sections": {"5": "61"}})
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f'<a data-id="{UUIDS[0].upper()}">x</a>', f'<a data-id="{UUIDS[1]}">x</a>'),
        (f"<img src='/assets/{UUIDS[2]}?width=5'>", f"<img src='/assets/{UUIDS[2]}?width=5'>"),
        ("see /admin/content/sections/5?x or 5", "see /admin/content/sections/61?x or 5"),
        ("/items/sections/55 and /items/other/5", "/items/sections/55 and /items/other/5"),
        ({"collection": "sections", "item": "5", "n": 5}, {"collection": "sections", "item": "61", "n": 5}),
        ([{"collection": "sections", "id": 5}], [{"collection": "sections", "id": 61}]),
        ({"collection": "chapters", "id": 5}, {"collection": "chapters", "id": 5}),
        ({"deep": {"list": [UUIDS[0]]}}, {"deep": {"list": [UUIDS[1]]}}),
    ],
)
def test_ids_within_texts_are_rewritten_where_they_are_surely_ids(before: Any, after: Any) -> None:
    assert INSIDE.rewrite(before) == after


def test_a_text_of_no_collection_that_differs_is_not_looked_into() -> None:
    assert EmbeddedKeys(KeyMap(users={"u": "v"}, natural_key_matches={})).is_empty


def test_a_json_text_is_encoded_once_more_and_deferred_columns_are_null() -> None:
    convert = row_converter({"j": "json", "o": "json"}, without=["p"])
    assert convert({"j": "plain", "o": {"a": 1}, "s": "x", "p": 7}) == {
        "j": '"plain"',
        "o": {"a": 1},
        "s": "x",
        "p": None,
    }


_ROWS = st.lists(st.fixed_dictionaries({"id": st.integers(), "text": st.text(max_size=80)}), max_size=30)


@given(_ROWS, st.integers(1, 7), st.integers(60, 900))
def test_parcels_keep_every_row_in_its_order_within_both_limits(rows: list[Any], most: int, size: int) -> None:
    cut = list(make_batches(rows, key="id", convert=lambda row: row, limits=lambda: Limits(most, size)))
    assert [row for batch in cut for row in json.loads(batch.body)] == rows
    assert [key for batch in cut for key in batch.keys] == [str(row["id"]) for row in rows]
    for batch in cut:
        assert 0 < len(batch.keys) <= most
        assert len(batch.keys) == 1 or len(batch.body) <= size


@given(_ROWS)
def test_the_halves_of_a_parcel_are_the_parcel(rows: list[Any]) -> None:
    for batch in make_batches(rows, key="id", convert=lambda row: row, limits=lambda: Limits(9, 900)):
        first, second = batch.halves()
        assert first.keys + second.keys == batch.keys
        assert batch.without(set(first.keys)).keys == tuple(k for k in batch.keys if k not in set(first.keys))


def test_what_the_quick_encoder_cannot_write_is_written_all_the_same() -> None:
    for value in (2**70, "\ud800 half", {"deep": [2**80]}):
        assert json.loads(encode_row({"v": value})) == {"v": value}


@given(st.dictionaries(st.integers(1, 40), st.one_of(st.none(), st.integers(1, 40)), max_size=40))
def test_generations_hold_every_row_once_and_parents_before_children(parents: dict[int, int | None]) -> None:
    cut = rewriting.tree_levels({str(key): [] if parent is None else [str(parent)] for key, parent in parents.items()})
    place = {int(key): number for number, generation in enumerate(cut) for key in generation}
    assert len(place) == len(parents) == sum(len(generation) for generation in cut)
    last = len(cut) - 1
    for key, parent in parents.items():
        if parent in place and parent != key:
            assert place[parent] < place[key] or place[key] == last  # a circle shares the last one


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        ({}, set()),
        ({"a": [], "b": ["a"]}, set()),
        ({"a": ["a"], "b": ["a"]}, set()),
        ({"a": ["b"], "b": ["a"]}, {"a", "b"}),
        ({"a": ["b"], "b": ["a"], "below": ["a"], "root": [], "leaf": ["root"]}, {"a", "b", "below"}),
        ({"a": ["somewhere else"]}, set()),
    ],
)
def test_rows_in_a_cycle_are_found_with_those_below(parents: dict[str, list[str]], expected: set[str]) -> None:
    assert rewriting.keys_in_cycles(parents) == expected


def test_references_to_rows_nobody_has_are_named() -> None:
    known = {"definitions": {"d1"}, "sections": {"5"}}
    row = {"id": 1, "collection": "sections", "item": "5", "term": "d2", "owner": "u"}
    assert rewriting.unresolved_references(row, PROFILE, known) == [("term", "definitions", "d2")]


# --- files on disk --------------------------------------------------------------------------------------------------


def write(folder: Path, text: str, rows: int) -> ExportedFile:
    (folder / "t.json").write_text(text, encoding="utf-8")
    digest, size = sha256(folder / "t.json"), (folder / "t.json").stat().st_size
    return ExportedFile("t", "t.json", rows, digest, size, "integer")


@given(st.lists(st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.integers())), max_size=6))
def test_rows_are_read_as_they_were_written(rows: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        file = write(folder, f"[\n{lines}\n]\n" if rows else "[]\n", len(rows))
        assert list(export_reader.rows(folder, file)) == rows
        assert export_reader.file_problems(folder, file) == []


def test_a_file_that_is_not_what_was_exported_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, '[\n{"id":1},\n{"id":2}\n]\n', 2)
    (tmp_path / "t.json").write_text('[\n{"id":1}\n]\n')
    assert [f.code for f in export_reader.file_problems(tmp_path, file)] == ["MIG-411"]
    with pytest.raises(export_reader.ExportChanged):
        list(export_reader.rows(tmp_path, file))
    cut = write(tmp_path, '[\n{"id":1},\n{"id":', 2)
    assert [f.code for f in export_reader.file_problems(tmp_path, cut)] == ["MIG-411"]
    assert [f.code for f in export_reader.file_problems(tmp_path / "gone", file)] == ["MIG-411"]
    assert [f.code for f in export_reader.file_problems(tmp_path, write(tmp_path, "{}", 0))] == ["MIG-411"]


def test_the_journal_knows_its_rows_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal(path).record_intent("t", ["1", "2"])
    with path.open("a") as torn:
        torn.write('{"collection": "t", "ke')
    Journal(path).record_intent("t", ["3"])
    assert Journal(path).sent_keys == {"t": {"1", "2", "3"}}


def test_the_journal_knows_what_became_of_what_it_sent(tmp_path: Path) -> None:
    """A refused key is not ours; the values before a change are those of the first look, whatever came after."""
    journal = Journal(tmp_path / "j")
    journal.record_intent("t", ["1", "2"])
    journal.record_created("t", ["1"])
    journal.refused("t", ["2"])
    journal.record_before("t", {"9": {"title": "theirs"}})
    journal.record_before("t", {"9": {"title": "ours"}})
    journal.stamps("t", ["1"])
    again = Journal(tmp_path / "j")
    assert (again.sent_keys, again.created_keys, again.restored_keys) == ({"t": {"1"}}, {"t": {"1"}}, {"t": {"1"}})
    assert again.before == {"t": {"9": {"title": "theirs"}}}


def test_the_journal_knows_which_values_of_the_second_pass_arrived(tmp_path: Path) -> None:
    """Sent is in doubt until it arrived; a row in which two columns were set is done column by column."""
    journal = Journal(tmp_path / "j")
    journal.record_intent("t", ["1", "2"], ["id", "name"])
    journal.record_second_pass("t", {"1": ["parent"], "2": ["parent", "lead"]})
    assert Journal(tmp_path / "j").written == {"t": {"1": {"id", "name"}, "2": {"id", "name"}}}
    journal.record_second_pass_arrived("t", {"2": ["lead"]})
    journal.record_second_pass_arrived("t", {"1": ["parent"]})
    again = Journal(tmp_path / "j")
    assert again.written == {"t": {"1": {"id", "name", "parent"}, "2": {"id", "name", "lead"}}}
    assert again.second_pass_in_doubt == {"t": {"2": {"parent"}}}
    again.refused("t", ["1"])
    assert Journal(tmp_path / "j").written == {"t": {"2": {"id", "name", "lead"}}}


def test_the_log_is_counted_by_its_newest_run(tmp_path: Path) -> None:
    path = tmp_path / "import-log.txt"
    with ImportLog(path, run="one") as log:
        log.rows(CREATED, "t", ["1", "2"])
    assert tally(path) == {CREATED: 2}
    with pytest.raises(KeyboardInterrupt):
        _killed_import(path)
    assert tally(path) == {SKIPPED: 1, REFUSED: 1}
    assert not has_ended(path)


def test_a_kept_log_is_the_whole_log_and_tells_of_the_run(tmp_path: Path) -> None:
    path, kept = tmp_path / "import-log.txt", tmp_path / "kept.txt"
    with ImportLog(path, run="one") as log:
        log.rows(CREATED, "t", [str(number) for number in range(100)])
    kept.write_bytes(path.read_bytes())
    assert is_complete_copy(path, kept, run="one")
    assert not is_complete_copy(path, kept, run="two")
    kept.write_bytes(path.read_bytes().replace(b" 7\n", b" 8\n"))
    assert not is_complete_copy(path, kept, run="one")
    kept.write_bytes(path.read_bytes()[:-1])
    assert not is_complete_copy(path, kept, run="one")
    kept.write_bytes(path.read_bytes() + b"more\n")
    assert not is_complete_copy(path, kept, run="one")


def _killed_import(path: Path) -> None:
    with ImportLog(path, run="two") as log:
        log.rows(SKIPPED, "t", ["1"])
        log.rows(REFUSED, "t", ["2"], "RECORD_NOT_UNIQUE: slug")
        raise KeyboardInterrupt
