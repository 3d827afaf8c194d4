"""The report page is one file, needs no network, is accessible, and never contains a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from fixtures import runbook
from fixtures.evidence.redact import redact
from fixtures.model.ids import GateId, LineId, Subject
from fixtures.model.secret import Secret
from fixtures.model.story import RunState
from fixtures.model.verdict import Obstacle, Verdict
from fixtures.report import binding, charts, page, screenshots
from tests_selftest.unit.invented_migration import InventedMigration

ALL = tuple(group.id for group in runbook.GROUPS)
VOID = {"meta", "img", "br", "link", "input", "hr", "source"}


class Tree(HTMLParser):
    """Elements with their attributes and their text; remembers every tag that was not closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(params=["go", "stopped", "running", "nothing"])
def html(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    migration = InventedMigration(tmp_path)
    state, blocked = RunState.ENDED, dict[Subject, Obstacle]()
    if request.param == "go":
        migration.passes(*ALL)
    elif request.param == "stopped":
        migration.passes(*ALL[: ALL.index("4.3")])
        migration.fails("4.3.2", "MIG-431 <b>17</b> & more\nMIG-432 x\n2 findings")
        obstacle = Obstacle(GateId("gate 4.3"), "4.3.2 failed", LineId("4.3.2"))
        blocked = {line.id: obstacle for line in runbook.lines_of("5.1")}
    elif request.param == "running":
        migration.passes("1.1", "1.2")
        state = RunState.RUNNING
    return page.standalone(migration.story(state=state, blocked=blocked), runs=tmp_path, redact=str)


def test_it_is_well_formed_in_one_language_with_one_title(html: str) -> None:
    tree = Tree(html)
    assert (tree.wrong, tree.open) == ([], [])
    assert tree.all("html") == [{"lang": "en"}]
    assert len(tree.all("h1")) == len(tree.all("main")) == len(tree.all("header")) == 1
    assert tree.all("nav")[0]["aria-label"]


def test_headings_never_skip_a_level(html: str) -> None:
    levels = [int(tag[1]) for tag, _ in Tree(html).elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_pictures_have_words_tables_have_captions_and_drawings_have_names(html: str) -> None:
    tree = Tree(html)
    assert all(image["alt"] for image in tree.all("img"))
    assert len(tree.all("table")) == len(tree.all("caption"))
    for drawing in tree.all("svg"):
        assert drawing.get("aria-hidden") == "true" or drawing.get("role") == "img"
    assert all(cell.get("scope") in {"col", "row"} for cell in tree.all("th"))


def test_nothing_is_fetched_and_every_link_stays_on_the_page(html: str) -> None:
    tree = Tree(html)
    ids = [attributes["id"] for _, attributes in tree.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    # Part 12 is pytest-html's and joins when the run ends.
    for link in tree.all("a", "use"):
        assert link["href"].startswith("#"), link
        assert link["href"][1:] in {*ids, "part-12"}
    assert not tree.all("script", "link", "iframe", "object")
    assert all(image["src"].startswith("data:image/") for image in tree.all("img"))
    assert "url(" not in page.style()
    assert "@import" not in page.style()


def test_what_is_in_the_backup_and_how_far_it_was_compared_stands_there(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.passes(*ALL)
    text = " ".join(Tree(page.standalone(migration.story(state=RunState.ENDED), runs=tmp_path, redact=str)).text)
    assert '1 of the 3 tables are outside of "public" (audit.log)' in text
    assert "In the dump and not compared (a view has no rows of its own): shown." in text


def test_what_failed_stands_there_in_full_escaped(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.passes(*ALL[: ALL.index("4.3")])
    migration.fails("4.3.2", "MIG-431 <b>17</b> & more")
    html = page.standalone(migration.story(), runs=tmp_path, redact=str)
    assert "MIG-431 &lt;b&gt;17&lt;/b&gt; &amp; more" in html
    assert '<details class="group" id="group-4.3" open>' in html


@pytest.mark.parametrize("text", ["s3cr3t-Tok3n", "pa&ss<w>ord\"'x", "postgres://u:hunter2hunter2@h/d"])
def test_no_secret_leaves_through_any_text(tmp_path: Path, text: str) -> None:
    """Redaction happens before escaping, so that a secret with & or < in it is found too."""
    secret = Secret(text).reveal()
    migration = InventedMigration(tmp_path)
    migration.passes(*ALL[: ALL.index("3.3")])
    migration.judge("3.3.1", Verdict.PASSED, notes=(f"sent {secret} there",))
    migration.fails("3.3.2", f"refused {secret}")
    html = page.standalone(migration.story(), runs=tmp_path, redact=redact)
    assert "[redacted]" in html
    assert secret not in "".join(Tree(html).text)
    assert "hunter2" not in html


def test_what_was_there_before_is_told_with_its_proof_its_losses_and_its_excuses(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.passes(*ALL)
    text = " ".join("".join(Tree(page.fragment(migration.story(), runs=tmp_path, redact=str)).text).split())
    assert "220 rows of 41 tables, all values equal (cdcdcdcdcdcdcdcd)" in text
    assert "1 in sections" in text
    assert "definitions 0b54 (update by ada@udo.example" in text
    assert (
        "sections.height (numeric(6,2) → numeric(6,1): each value equals the cast of the value in the backup)" in text
    )
    assert "directus_users.last_access (Directus records when a user was last active)" in text
    assert "The bytes of 1 could not be read before the migration either: plan <A>.pdf" in text


def test_what_was_at_stake_and_who_accepted_it_stand_beside_the_change(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.passes(*ALL)
    text = " ".join("".join(Tree(page.fragment(migration.story(), runs=tmp_path, redact=str)).text).split())
    assert "3 values in the column (rows: 40)" in text
    assert "SC141 on chapters.old_note, accepted by Ada Lovelace until 2026-12-01: nobody reads it" in text
    assert "1 change covered by a waiver" in text


def test_pictures_stay_within_the_budget_and_only_as_they_were_recorded(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.passes(*ALL)
    story = migration.story()
    assert len(screenshots.load(story.pictures, tmp_path)) == 3
    assert len(screenshots.load(story.pictures, tmp_path, budget=600)) < 3
    (tmp_path / story.pictures[0].path).write_bytes(b"another picture")
    assert [p.title for p in screenshots.load(story.pictures, tmp_path)] == ["Zoning districts", "Amendments"]
    assert screenshots.title("workflow-A-resident-reads.jpg") == "A resident reads"


def test_the_page_stays_small(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.passes(*ALL)
    assert len(page.standalone(migration.story(), runs=tmp_path, redact=str)) + screenshots.BUDGET_BYTES < 5_000_000


def test_side_by_side_groups_share_a_place_and_every_mark_is_inside_its_drawing(tmp_path: Path) -> None:
    migration = InventedMigration(tmp_path)
    migration.passes(*ALL)
    group_results = migration.story().groups
    plan = charts.phase_map(group_results, runbook.PHASES)
    places = {stop.group_result.id: stop for stop in plan.group_marks}
    assert places["2.1"].x == places["2.2"].x
    assert places["2.1"].y < places["2.3"].y < places["2.2"].y
    assert len(plan.connections) == 19  # one between neighbours, and one more for the second track
    assert all(0 < stop.x < plan.width for stop in plan.group_marks)
    times = charts.timetable(group_results)
    assert all(times.left <= row.planned_x and (row.actual_x or 0) <= times.width for row in times.rows)


def test_the_binding_puts_the_story_first_and_confines_the_style_of_the_table() -> None:
    document = (
        '<!DOCTYPE html><html><head><style type="text/css">body { color: #999 }</style></head><body>'
        '<h1 id="title">report.html</h1><h2>Environment</h2>'
        f'<div class="prefix">{binding.wrapped("<p>the story</p>")}</div><h2>Summary</h2><table id="results-table">'
        '</table><div id="data-container" data-jsonblob="{&#34;tests&#34;: &#34;</h1>&#34;}"></div></body></html>'
    )
    text = binding.bound(document, title="GO · <x>", redact=str)
    assert text.count("the story") == 1
    assert text.index("the story") < text.index('class="engineers"') < text.index('id="results-table"')
    assert '<h1 id="title">' not in text
    assert "GO · &lt;x&gt;" in text
    assert re.search(r"\.engineers \{\s*body \{ color: #999 \}\s*\}", text)
    with pytest.raises(binding.NotPytestHtml):
        binding.bound("<html><body>something else</body></html>", title="", redact=str)


def palettes() -> Iterator[tuple[str, dict[str, str]]]:
    """The three sets of colours of the style sheet: light, dark, print."""
    light, dark, printed = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block))
        for block in re.findall(r"\.report \{([^}]*--paper[^}]*)\}", page.style())
    )
    yield "light", light
    yield "dark", {**light, **dark}
    yield "print", {**light, **printed}


@pytest.mark.parametrize(("name", "colours"), list(palettes()), ids=lambda each: each if isinstance(each, str) else "")
@pytest.mark.parametrize("ink", ["ink", "soft", "go", "stop", "doubt", "shut", "plan"])
@pytest.mark.parametrize("ground", ["paper", "sheet", "wash"])
def test_text_stands_out_from_its_ground(name: str, colours: dict[str, str], ink: str, ground: str) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1 for text of this size."""
    assert contrast(colours[ink], colours[ground]) >= 4.5, name


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    text = colour.lstrip("#")
    text = "".join(c * 2 for c in text) if len(text) == 3 else text
    channels = (int(text[i : i + 2], 16) / 255 for i in (0, 2, 4))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
