"""The catalogue of findings and the code hold each other: no text without a finder, no finder that cannot speak."""

from __future__ import annotations

import ast
from string import Formatter

import pytest

from fixtures.model.finding import CATALOGUE, Finding, catalogue, finding, placeholders
from tests_selftest.finding_codes import CHOSEN, CODE, PAGE, ROOT, SECTIONS, Call, calls, calls_in, modules, page

ONE_SENTENCE = {"MIG-003", "MIG-006", "MIG-020", "MIG-501", "MIG-502", "MIG-503", "MIG-545"}
"""Findings that end a command or a line with one sentence, which names the correction or is the reason."""

CALLS = calls()
GIVEN = {"where", "expected", "observed", "meaning", "do"}
BY_RISK_CODE = {"fixtures/checks/schema/plan_safety.py"}
"""Findings whose code, meaning and advice are those of `risk_codes`."""


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.module}:{call.line}")
def test_a_call_gives_every_value_its_texts_need_and_no_other(call: Call) -> None:
    """A message that was never seen must not fail when it is needed."""
    for code in call.codes:
        entry = catalogue()[code]
        needed = placeholders(code)
        assert call.keywords - GIVEN == needed, code
        assert [name for name in call.keywords & GIVEN if getattr(entry, name)] == [], code
        for name in ("meaning", "do"):
            told = getattr(entry, name) or name in call.keywords
            assert told or code in ONE_SENTENCE or (code, name) == ("MIG-004", "meaning"), f"{code} has no {name}"


def test_the_catalogue_holds_what_is_found_and_nothing_else() -> None:
    found = {code for call in CALLS for code in call.codes}
    assert sorted(found - catalogue().keys()) == []
    assert sorted(catalogue().keys() - found) == []


def test_every_code_in_the_code_is_one_of_a_call() -> None:
    """Also of those that are chosen by a variable: a code that is written down somewhere is found somewhere."""
    for path in modules():
        module = str(path.relative_to(ROOT))
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        written = {text for text in texts if CODE.fullmatch(text) and not text.startswith(("WLD", "SHA"))}
        known = {code for call in CALLS if call.module == module for code in call.codes}
        chosen = {code for place, codes in CHOSEN.items() if place.startswith(f"{module}:") for code in codes}
        assert written - known == set(), module
        assert chosen <= written, module


def test_texts_stand_in_the_catalogue_alone() -> None:
    making = [
        str(path.relative_to(ROOT))
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding"
    ]
    assert set(making) - BY_RISK_CODE == {"fixtures/model/finding.py"}


def test_codes_stand_in_order_and_once() -> None:
    files = sorted(CATALOGUE.glob("*.toml"))
    assert sorted(file.stem for file in files) == sorted(SECTIONS)
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("[")]
    assert len(lines) == len(set(lines)) == len(catalogue())
    for file in files:
        codes = [line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("[")]
        assert codes == sorted(codes), file.name


def test_a_placeholder_is_a_plain_name_and_no_field() -> None:
    for code, entry in catalogue().items():
        for text in (entry.sentence, entry.where, entry.expected, entry.observed, entry.meaning, entry.do):
            names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
            assert [name for name in names if not name.isidentifier() or name in GIVEN] == [], code


def test_the_page_is_written_from_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make finding-codes`"


@pytest.mark.parametrize(
    "call", ['finding(code, what="x")', 'finding("MIG-344", **facts)', 'finding("MIG-344", "x")'],
)  # fmt: skip
def test_a_call_that_cannot_be_read_is_refused(call: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        list(calls_in(f"def check() -> None:\n    {call}\n", "fixtures/new.py"))


def test_a_finding_has_the_texts_of_the_catalogue_with_its_values() -> None:
    assert finding("MIG-344", what="field", place='collection "a{b}"', expected="field {x}") == Finding(
        "MIG-344",
        "Production lacks a field.",
        'production · collection "a{b}"',
        "field {x}",
        "missing",
        "the schema is incomplete, or the server uses a cached one",
        "POST /utils/cache/clear?system, then run 3.3 and 3.4 again",
    )


def test_a_value_too_few_or_too_many_is_named() -> None:
    with pytest.raises(TypeError, match=r"MIG-344: .* miss \['place'\], and \[\] have no place"):
        finding("MIG-344", what="field")
    with pytest.raises(TypeError, match=r"miss \[\], and \['kind'\] have no place"):
        finding("MIG-344", what="field", place="x", kind="y")
    with pytest.raises(TypeError, match=r"miss \[\], and \['do'\] have no place"):
        finding("MIG-344", what="field", place="x", do="nothing")
    with pytest.raises(LookupError, match="MIG-999 is not in the catalogue"):
        finding("MIG-999")
