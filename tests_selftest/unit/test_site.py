"""A site map is read whole or refused with the table and the key; nothing in it is silently ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.checks.site import site_map as site_map_checks
from fixtures.configuration.site_map import InvalidSiteMap, read_site_map, site_map

REHEARSAL = Path(__file__).parents[2] / "fixtures/world/projects/site.toml"


def least(**more: Any) -> dict[str, Any]:
    page = {"path": "/#/a", "title": "A", "collection": "a", "list": "ul", "item": "li", "page_size": 10}
    return {"site": {"ready": "main"}, "pages": [page], **more}


def form(**more: Any) -> dict[str, Any]:
    field = {"input": "#n", "display": ".n", "value": "x {mark}", "changed": "y {mark}"}
    names = ("page", "collection", "account", "list", "item", "row", "signed_in", "notice")
    return {
        **dict.fromkeys(names, "x"),
        "login": {"email": "#e", "password": "#p", "submit": "#s"},
        "create": {"open": "#o", "submit": "#s", "done": "added"},
        "edit": {"open": "#o", "submit": "#s", "done": "saved"},
        "delete": {"open": "#o", "confirm": "#y", "done": "gone"},
        "fields": {"name": field},
        **more,
    }


def test_the_map_of_the_rehearsal_is_read() -> None:
    site = read_site_map(REHEARSAL)
    assert 3 <= len(site.workflows) <= 5  # step 5.1.6
    assert site.form is not None
    assert any(page.images for page in site.pages)
    assert any(page.since == "new" for page in site.pages)
    assert "sections" in site.collections


def test_the_least_map_is_enough() -> None:
    assert site_map(least()).pages[0].filter == {}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (least(pages=[]), "no page is listed"),
        (least(site={}), "missing: ready - at `$.site`"),
        (least(site={"ready": "main", "phone_width": "390"}), "Expected `int`, got `str` - at `$.site.phone_width`"),
        (least(plain=[{"path": "/", "visible": "h1"}]), "Expected `array`, got `str` - at `$.plain[0].visible`"),
        (least(plain=[{"path": "/", "since": "soon"}]), "Invalid enum value 'soon' - at `$.plain[0].since`"),
        (least(plain=[{"path": "/", "counters": {"items": "a"}}]), "unknown keys: items - at `$.plain[0].counters`"),
        ({"site": {"ready": "main"}}, "missing: pages - at `$`"),
        (least(people=[]), "unknown keys: people - at `$`"),
        (least(pages=[{"path": "/"}]), "missing: title, collection, list, item, page_size - at `$.pages[0]`"),
        (least(plain=[{"path": "/", "sees": ["h1"]}]), "unknown keys: sees - at `$.plain[0]`"),
        (least(workflows=[{"name": "w", "steps": []}]), "would succeed by doing nothing"),
        (least(workflows=[{"name": "w", "steps": [{"look": "h1"}]}]), "needs exactly one of"),
        (least(workflows=[{"name": "w", "steps": [{"open": "/", "see": "h1"}]}]), "needs exactly one of"),
        (least(form=form(fields={})), "nothing to type"),
        (
            least(form=form(fields={"n": {"input": "a", "display": "b", "value": "x", "changed": "y"}})),
            "could not be recognized",
        ),
        (
            least(
                form=form(fields={"n": {"input": "a", "display": "b", "value": "{mark}", "changed": "y", "say": "z"}})
            ),
            "unknown keys: say - at `$.form.fields.n`",
        ),
        (least(form=form(login={})), "missing: email, password, submit - at `$.form.login`"),
    ],
)
def test_a_wrong_map_is_refused_with_its_place(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidSiteMap) as problem:
        site_map(raw)
    assert words in str(problem.value)


def test_every_unknown_and_every_missing_key_is_named_at_once() -> None:
    with pytest.raises(InvalidSiteMap) as problem:
        site_map({"site": {"redy": "main"}, "pages": [], "people": []})
    places = ("people - at `$`", "unknown keys: redy - at `$.site`", "missing: ready - at `$.site`")
    assert [place for place in places if place not in str(problem.value)] == []


def test_a_whole_form_is_read() -> None:
    site = site_map(least(form=form()))
    assert site.form is not None
    assert site.form.delete.confirm == "#y"


def test_text_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text("[site")
    with pytest.raises(InvalidSiteMap, match="MIG-501"):
        read_site_map(tmp_path / "site.toml")


JOURNEY = {"name": "a visitor", "steps": [{"open": "/"}]}


@pytest.mark.parametrize("count", [0, 2, 3, 5, 6])
def test_three_to_five_workflows_are_asked_for(count: int) -> None:
    found = site_map_checks.problems(site_map(least(workflows=[JOURNEY] * count)), ())
    assert [each.code for each in found] == ([] if 3 <= count <= 5 else ["MIG-504"])


def test_a_sign_in_needs_a_login_also_in_the_cleanup() -> None:
    signs_in = {**JOURNEY, "cleanup": [{"sign_in": "editor"}]}
    site = site_map(least(workflows=[JOURNEY, JOURNEY, signs_in]))
    (found,) = site_map_checks.problems(site, ())
    assert (found.code, "'editor'" in found.sentence) == ("MIG-503", True)
    assert site_map_checks.problems(site, {"editor"}) == []
