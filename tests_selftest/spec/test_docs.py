"""What the documents name exists: files, functions, links, commands, codes. What they repeat of the code is equal."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from fixtures.checks.schema.risk_codes import CODES
from fixtures.model.plan import Risk
from tests_selftest.spec.test_layers import ALLOWED

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 100
LONGEST_DECISION = 60
TEMPLATES = "fixtures/report/templates/"
PARTS_OF_A_DECISION = ["Context", "Decision", "Consequences", "Alternatives"]

_FENCE = re.compile(r"^[ \t]*```.*?^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
_SPAN = re.compile(r"`([^`\n]+)`")
_PYTHON = re.compile(r"(?P<path>[\w./-]+\.py)(?::(?P<name>[A-Za-z_][\w.]*))?")
_FOLDER_OR_FILE = re.compile(r"(?:fixtures|phases|tests_selftest|docs)(?:/[\w.*-]+)*/?")
_MAKE = re.compile(r"(?:^|\s)make ([a-z][a-z-]*)")
_MIG = re.compile(r"MIG-\d{3}\b")
_DECISION = re.compile(r"(?:docs/decisions/|\bdecisions? )(\d{4})\b")


@cache
def tracked() -> tuple[str, ...]:
    """Paths from the root, as git lists them; new files count before they are committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(sorted({name for name in listed.split("\0") if name and (ROOT / name).is_file()}))


def documents() -> list[str]:
    """Every Markdown file for readers; those below fixtures/ are templates and sample projects."""
    return [name for name in tracked() if name.endswith(".md") and not name.startswith("fixtures/")]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose_of(name: str) -> str:
    """The text without fenced code; the lines keep their places."""
    return _FENCE.sub(lambda found: "\n" * found.group().count("\n"), text_of(name))


def names_in(path: str) -> set[str]:
    """What a module defines: "function", "Class", "Class.method", "Class.attribute", "CONSTANT"."""
    return set(_defined(ast.parse(text_of(path)).body, ""))


def _defined(body: list[ast.stmt], prefix: str) -> list[str]:
    found: list[str] = []
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.append(prefix + name)
            case ast.ClassDef(name=name, body=inner):
                found += [prefix + name, *_defined(inner, f"{prefix}{name}.")]
            case ast.AnnAssign(target=ast.Name(id=name)):
                found.append(prefix + name)
            case ast.Assign(targets=targets):
                found += [prefix + target.id for target in targets if isinstance(target, ast.Name)]
            case _:
                pass
    return found


def matching(path: str) -> list[str]:
    """The files a mention can mean: its path from the root, or the end of one."""
    return [name for name in tracked() if name == path or name.endswith("/" + path)]


@pytest.mark.parametrize("document", documents())
def test_every_module_and_function_a_document_names_exists(document: str) -> None:
    wrong = []
    for span in _SPAN.findall(prose_of(document)):
        for found in _PYTHON.finditer(span):
            modules = matching(found["path"])
            if not modules or (found["name"] and (len(modules) > 1 or found["name"] not in names_in(modules[0]))):
                wrong.append(found.group())
    assert wrong == []


@pytest.mark.parametrize("document", documents())
def test_every_folder_and_file_a_document_names_exists(document: str) -> None:
    spans = [span for span in _SPAN.findall(prose_of(document)) if _FOLDER_OR_FILE.fullmatch(span)]
    assert [span for span in spans if not list(ROOT.glob(span.rstrip("/")))] == []


@pytest.mark.parametrize("document", documents())
def test_relative_links_lead_somewhere(document: str) -> None:
    here = (ROOT / document).parent
    targets = [found["target"] for found in _LINK.finditer(prose_of(document))]
    local = [target.partition("#")[0] for target in targets if "://" not in target and not target.startswith("#")]
    assert [target for target in local if not (here / target).exists()] == []


@pytest.mark.parametrize("document", [name for name in documents() if not name.startswith(TEMPLATES)])
def test_lines_of_prose_have_at_most_100_characters(document: str) -> None:
    """
    Tables, code and the target of a link may be longer; the title of a deviation is the user's own line.

    A line of a template is a line of the document it renders, however long its expressions are.
    """
    title_is_the_users = document.startswith("docs/decisions/deviations/")
    long = [
        f"{document}:{number}"
        for number, line in enumerate(prose_of(document).splitlines(), start=1)
        if not line.lstrip().startswith("|")
        and not (title_is_the_users and number == 1)
        and len(_LINK.sub(r"\g<text>", line)) > LONGEST
    ]
    assert long == []


@pytest.mark.parametrize("document", documents())
def test_every_make_target_a_document_names_exists(document: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of("Makefile"), re.MULTILINE))
    named = [target for span in _SPAN.findall(prose_of(document)) for target in _MAKE.findall(span)]
    assert set(named) - targets == set()


@pytest.mark.parametrize("document", documents())
def test_every_finding_a_document_names_can_occur(document: str) -> None:
    modules = [name for name in tracked() if name.startswith("fixtures/") and name.endswith(".py")]
    known = {code for name in modules for code in _MIG.findall(text_of(name))}
    assert set(_MIG.findall(text_of(document))) - known == set()


def test_a_decision_that_is_referred_to_exists() -> None:
    known = {name.split("/")[-1][:4] for name in tracked() if re.match(r"docs/decisions/\d{4}-", name)}
    texts = {name: text_of(name) for name in tracked() if name.endswith((".py", ".md", "Makefile"))}
    assert len(known) >= 15
    wrong = {name: missing for name, text in texts.items() if (missing := set(_DECISION.findall(text)) - known)}
    assert wrong == {}


def test_a_decision_is_one_page_with_its_four_parts_and_is_listed() -> None:
    listed = text_of("docs/decisions/README.md")
    for name in [name for name in tracked() if re.match(r"docs/decisions/\d{4}-", name)]:
        text = text_of(name)
        assert len(text.splitlines()) <= LONGEST_DECISION, name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS_OF_A_DECISION, name
        assert f"]({name.split('/')[-1]})" in listed, name


def test_the_table_of_risk_codes_is_that_of_the_code() -> None:
    shown = [line for line in text_of("docs/reference/risk-codes.md").splitlines() if re.match(r"\| SC\d{3} ", line)]
    expected = []
    for known in CODES.values():
        decided_alone = known.risk in {Risk.ADDITIVE, Risk.METADATA}
        waiver = "yes" if known.waivable else "–" if decided_alone else "no"
        kept = "yes" if known.withheld else ""
        expected.append(f"| {known.code} | {known.risk} | {known.meaning} | {waiver} | {kept} |")
    assert shown == expected


def test_the_example_in_contributing_is_a_line_of_the_runbook() -> None:
    blocks = re.findall(r"```python\n(.*?)```", text_of("CONTRIBUTING.md"), re.DOTALL)
    assert len(blocks) == 1
    example = "\n".join(line.removeprefix("   ") for line in blocks[0].rstrip().splitlines())
    assert example in text_of("phases/test_5_3_integrity.py")


@pytest.mark.parametrize("lane", ["api", "sql"])
def test_the_walk_of_a_row_needs_no_more_than_fifteen_files(lane: str) -> None:
    """Each row of the table is a new file, and each of its functions is called in a file above it."""
    chapter = text_of("docs/explanation/architecture.md").partition("## One row")[2].partition("\n## ")[0]
    rows = re.findall(
        r"^\| (\d+) \| (\d\.\d\.\d) \|[^|]*\| (.*) \|$",
        chapter.partition(f"### Lane {lane}\n")[2].partition("\n### ")[0],
        re.MULTILINE,
    )
    assert {"1.3.2", "4.1.1", "4.1.2", "4.2.2", "4.3.1"} == {line for _, line, _ in rows}
    assert 10 <= len(rows) <= 15
    above: list[str] = []
    for number, (shown, _, where) in enumerate(rows, 1):
        stations = [(found["path"], found["name"].split(".")) for found in _PYTHON.finditer(where)]
        assert shown == str(number)
        assert len({path for path, _ in stations}) == 1
        path = stations[0][0]
        text = text_of(path)
        assert text not in above, f"{path} stands there twice"
        for names in () if path.startswith("phases/") else [names for _, names in stations]:
            module, (first, *_), last = Path(path).stem, names, names[-1]
            used = rf"\b{module}\.{first}\b|import \(?[^)]*?\b{first}\b" if first == last else rf"\.{last}\b"
            callers = [each for each in above if re.search(used, each) and re.search(rf"\b{first}\b", each)]
            helper = names != stations[0][1] and re.search(rf"(?<!def )\b{last}\(", text)
            assert callers or helper, f"{path}:{'.'.join(names)} is called in no file above it"
        above.append(text)


def test_the_diagram_of_the_layers_equals_the_allowed_imports() -> None:
    picture = text_of("docs/explanation/architecture.md")
    shown: dict[str, set[str]] = {package: set() for package in re.findall(r"^    (\w+)\[", picture, re.MULTILINE)}
    for upper, lower in re.findall(r"^    (\w+) --> (.+)$", picture, re.MULTILINE):
        shown[upper] |= set(lower.split(" & "))
    assert shown == ALLOWED
