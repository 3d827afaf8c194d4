"""Collections that refer to each other in circles of required columns, on the project's own Directus."""

from __future__ import annotations

from typing import Any

from fixtures.model.snapshot import Snapshot
from tests_selftest.lanes.project import Project, column, serial, uuid_key

PAIR: dict[str, list[dict[str, Any]]] = {
    "boards": [serial(), column("name", is_unique=True), column("chair", "uuid", is_nullable=False)],
    "members": [uuid_key(), column("email", is_unique=True), column("board", "integer", is_nullable=False)],
}
"""The smallest circle: a board has a chair, who is a member of a board."""

THREE: dict[str, list[dict[str, Any]]] = {
    "companies": [
        serial(), column("slug", is_unique=True), column("office", "integer", is_nullable=False),
        column("owner", "integer"), column("flagship", "integer"),
    ],
    "offices": [serial(), column("code", is_unique=True, max_length=8), column("keeper", "uuid", is_nullable=False)],
    "persons": [
        uuid_key(), column("name"), column("company", "integer", is_nullable=False),
        column("mentor", "uuid", is_nullable=False),
    ],
    "products": [serial(), column("title"), column("company", "integer", is_nullable=False)],
}  # fmt: skip
"""
A circle of three with references to the own collection, one of them required; `companies.flagship` makes a wider circle
with `products` that is opened, since it may be null for a moment.
"""

MODEL = {**PAIR, **THREE}
RELATIONS = (
    ("boards", "chair", "members"),
    ("members", "board", "boards"),
    ("companies", "office", "offices"),
    ("companies", "owner", "companies"),
    ("companies", "flagship", "products"),
    ("offices", "keeper", "persons"),
    ("persons", "company", "companies"),
    ("persons", "mentor", "persons"),
    ("products", "company", "companies"),
)


def build(project: Project) -> Snapshot:
    """Both circles beside the project's own collections; Directus lets them be made while the tables are empty."""
    for name, fields in MODEL.items():
        project.rest.post("/collections", {"collection": name, "schema": {}, "meta": {}, "fields": fields})
    for child, name, parent in RELATIONS:
        meta = {"collection": child, "field": name, "related_collection": parent}
        project.rest.post("/relations", {**meta, "schema": {"on_delete": "NO ACTION"}})
    return project.operator.snapshot()


def empty(project: Project) -> None:
    project.ask(f"TRUNCATE {', '.join(MODEL)} RESTART IDENTITY CASCADE")


def member(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def pairs(*numbers: int) -> dict[str, list[dict[str, Any]]]:
    """A board for each number, and its chair, who is a member of it."""
    return {
        "boards": [{"id": n, "name": f"board {n}", "chair": member(n)} for n in numbers],
        "members": [{"id": member(n), "email": f"{n}@example.org", "board": n} for n in numbers],
    }


def threes(*numbers: int) -> dict[str, list[dict[str, Any]]]:
    """
    A company for each number, with its office, the office's keeper, and a product.

    Each company is owned by the next one and each keeper taught by the next one, round to the first.
    """
    after = dict(zip(numbers, (*numbers[1:], numbers[0]), strict=True))
    return {
        "companies": [
            {"id": n, "slug": f"company-{n}", "office": n, "owner": after[n], "flagship": n} for n in numbers
        ],
        "offices": [{"id": n, "code": f"o-{n}", "keeper": member(n)} for n in numbers],
        "persons": [
            {"id": member(n), "name": f"keeper {n}", "company": n, "mentor": member(after[n])} for n in numbers
        ],
        "products": [{"id": n, "title": f"product {n}", "company": n} for n in numbers],
    }  # fmt: skip
