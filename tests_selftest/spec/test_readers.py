"""Which modules open a file of the export, and which make a row of its text: the readings that are counted are all."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"

OF_ROWS = {
    "checks/rows/row_pattern.py": "RowPattern.match, and the JSON values inside of a row",
    "checks/rows/row_values.py": "one value of a row at a time",
    "checks/rows/strict_json.py": "parse_row",
    "operations/imports/finer_values.py": "decoded",
    "operations/lane_sql/copy_rows.py": "decoded",
    "operations/source/export_reader.py": "decode_row",
    "systems/postgres/copy_text.py": "RowWriter.fields",
}
"""Decode rows of the export. `tests_selftest/world/reading_counter.py` counts each of these."""

OF_OTHER_THINGS = {
    "model/field_types/forms.py", "evidence/ledger.py", "evidence/store.py", "plugins/rehearsal.py",
    "checks/schema/column_defaults.py",
    "operations/backups/backup.py", "operations/carry/journal.py", "operations/code/commit_message.py",
    "operations/imports/flow_pause.py", "operations/imports/given_values.py",
    "operations/source/configuration_export.py",
    "operations/imports/import_documents.py", "operations/imports/journal.py", "operations/imports/library.py",
    "operations/imports/library_comparison.py", "operations/imports/library_completion.py",
    "operations/imports/stamps.py", "operations/lane_sql/load_sql.py", "operations/source/asset_export.py",
    "operations/source/library_values.py", "operations/source/schema_export.py",
    "operations/verification/library_audit.py", "checks/rows/library_columns.py",
    "operations/scratch_rows/related.py", "systems/directus/cli.py", "systems/directus/sandbox.py",
    "systems/http/failures.py", "systems/postgres/transaction.py",
}  # fmt: skip
"""Decode the suite's own files, snapshots, a default, the library's files, a system's answer, or one value of a row."""

OPEN_THE_EXPORT = {"operations/source/export_reader.py"}
"""Read the files of the export."""

OPEN_OTHER_FILES = {
    "operations/imports/file_upload.py", "operations/imports/flow_pause.py", "operations/imports/import_documents.py",
    "operations/imports/import_log.py", "operations/imports/journal.py", "operations/imports/library.py",
    "operations/imports/library_comparison.py", "operations/imports/library_completion.py",
    "operations/imports/stamps.py", "operations/lane_sql/load_sql.py", "operations/source/asset_export.py",
    "operations/source/configuration_export.py", "operations/source/library_values.py",
    "operations/source/schema_export.py", "operations/verification/library_audit.py",
}  # fmt: skip
"""Open documents, log, journal, the library's files and their list, the schemas; of what deals with rows."""

DECODERS = {"loads", "load", "decode", "Decoder", "JSONDecoder"}
EXACT_DECODER = "exactly_decoded"
OPEN_METHODS = {"open", "read_bytes", "read_text", "FileIO", "mmap", "file_digest"}
OPEN_FUNCTIONS = {"open", "read_text", "sha256", "file_digest"}


def calls(file: Path) -> list[tuple[str, str]]:
    """(what a function is taken from, its name) of every function that is named."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            found.append((ast.unparse(node.value), node.attr))
        elif isinstance(node, ast.Name):
            found.append(("", node.id))
    return found


def modules(*folders: str) -> dict[str, list[tuple[str, str]]]:
    files = [file for folder in folders for file in sorted((FIXTURES / folder).rglob("*.py"))]
    return {str(file.relative_to(FIXTURES)): calls(file) for file in files}


def test_every_decoder_of_json_is_known() -> None:
    """A new module that decodes JSON says here whether it decodes rows of the export; then it must be counted."""
    found = {
        name
        for name, used in modules("").items()
        if not name.startswith("world/")
        and any(
            (owner in {"json", "msgspec.json"} and called in DECODERS) or called == EXACT_DECODER
            for owner, called in used
        )
    }
    assert found - OF_ROWS.keys() == OF_OTHER_THINGS
    assert OF_ROWS.keys() <= found


def test_only_its_reader_opens_a_file_of_the_export() -> None:
    rooms = modules("checks/rows", "operations/source", "operations/imports", "operations/lane_api",
                    "operations/lane_sql", "operations/verification")  # fmt: skip
    found = {
        name
        for name, used in rooms.items()
        if any(called in (OPEN_METHODS if owner else OPEN_FUNCTIONS) for owner, called in used)
    }
    assert found - OPEN_OTHER_FILES == OPEN_THE_EXPORT
    assert found >= OPEN_OTHER_FILES


def test_the_counter_counts_every_decoder_of_rows() -> None:
    counter = (ROOT / "tests_selftest/world/reading_counter.py").read_text(encoding="utf-8")
    named = {said.split(",")[0].split(".")[-1] for said in OF_ROWS.values()} - {"one value of a row at a time"}
    assert [each for each in sorted(named) if f'"{each}"' not in counter] == []
