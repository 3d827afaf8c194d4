"""Orders in which every parent comes before its child, whatever the graph."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.checks.rows import order
from fixtures.model.dataset import CollectionProfile, ImportOrder, Reference


def collection(name: str, *references: Reference) -> CollectionProfile:
    columns = ("id", *(reference.column for reference in references))
    return CollectionProfile(name, "id", "integer", False, columns, references=references)


def to(target: str, *, nullable: bool = True, column: str = "", discriminator: str = "") -> Reference:
    return Reference(column or f"to_{target}", target, nullable, discriminator)


def test_a_chain_is_ordered_from_its_root() -> None:
    found = order.plan([collection("c", to("b")), collection("b", to("a")), collection("a")])
    assert found == ImportOrder(("a", "b", "c"))


def test_collections_that_wait_for_the_same_come_in_alphabetical_order() -> None:
    assert order.plan([collection("z"), collection("m"), collection("a", to("z"))]).collections == ("m", "z", "a")


def test_every_collection_an_m2a_may_point_to_comes_first() -> None:
    junction = collection("a_blocks", to("z", column="item", discriminator="collection"), to("y", column="item"))
    assert order.plan([junction, collection("y"), collection("z")]).collections == ("y", "z", "a_blocks")


def test_a_tree_needs_no_second_pass() -> None:
    assert order.plan([collection("sections", to("sections", column="parent"))]).deferred == ()


def test_files_and_users_order_nothing() -> None:
    assert order.plan([collection("documents", to("directus_files"))]).collections == ("documents",)


def test_a_circular_pair_is_opened_at_a_nullable_column() -> None:
    boards, members = collection("boards", to("members", column="chair")), collection("members", to("boards"))
    found = order.plan([boards, members])
    assert found.deferred == ("boards.chair",)
    assert found.collections == ("boards", "members")
    assert order.parents_after_children(found, [boards, members]) == []


def test_only_the_nullable_side_of_a_circle_is_deferred() -> None:
    boards = collection("boards", to("members", column="chair", nullable=False))
    found = order.plan([boards, collection("members", to("boards", column="board"))])
    assert found == ImportOrder(("members", "boards"), ("members.board",))


def test_a_circle_of_required_columns_is_refused_by_name() -> None:
    pair = [collection("a", to("b", nullable=False)), collection("b", to("a", nullable=False))]
    with pytest.raises(order.RequiredCycle, match=r"MIG-136[\s\S]*a → b[\s\S]*IMPORT_LANE=sql"):
        order.plan(pair)


def test_a_circle_of_required_columns_stays_together_in_lane_sql() -> None:
    pair = [collection("z", to("b", nullable=False)), collection("b", to("z", nullable=False), to("p"))]
    found = order.plan([*pair, collection("p"), collection("c", to("b"))], lane="sql")
    assert found == ImportOrder(("p", "b", "z", "c"), cycles=(("b", "z"),))
    assert found.steps == (("p",), ("b", "z"), ("c",))
    assert order.parents_after_children(found, pair) == []


def test_only_what_is_required_goes_in_together_and_a_wider_circle_is_opened() -> None:
    pair = [collection("a", to("b", nullable=False), to("c")), collection("b", to("a", nullable=False))]
    found = order.plan([*pair, collection("c", to("b", nullable=False))], lane="sql")
    assert found == ImportOrder(("a", "b", "c"), ("a.to_c",), (("a", "b"),))


def test_a_required_reference_to_the_own_collection_makes_no_circle() -> None:
    assert order.plan([collection("a", to("a", nullable=False))]).cycles == ()


def test_a_member_of_a_circle_outside_of_its_place_is_found() -> None:
    pair = [collection("a", to("b", nullable=False)), collection("b", to("a", nullable=False), to("c"))]
    wrong = ImportOrder(("a", "b", "c"), cycles=(("a", "b"),))
    assert [finding.where for finding in order.parents_after_children(wrong, pair)] == ['local · column "b.to_c"']


def test_a_wrong_order_is_found() -> None:
    profiles = [collection("child", to("parent")), collection("parent")]
    findings = order.parents_after_children(ImportOrder(("child", "parent")), profiles)
    assert [finding.code for finding in findings] == ["MIG-137"]
    assert "child.to_parent" in findings[0].where


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=25))
def test_any_nullable_graph_gets_an_order_without_misplaced_parents(edges: list[tuple[int, int]]) -> None:
    profiles = [
        collection(f"c{node}", *(to(f"c{target}") for child, target in sorted(set(edges)) if child == node))
        for node in range(8)
    ]
    found = order.plan(profiles)
    assert sorted(found.collections) == sorted(profile.name for profile in profiles)
    assert order.parents_after_children(found, profiles) == []


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.booleans()), max_size=25))
def test_any_graph_gets_an_order_in_lane_sql_and_never_a_required_column_is_sent_as_null(
    edges: list[tuple[int, int, bool]],
) -> None:
    columns = {(child, target, nullable) for child, target, nullable in edges}
    profiles = [
        collection(
            f"c{node}",
            *(
                to(f"c{target}", nullable=nullable, column=f"to_{target}{'' if nullable else '_required'}")
                for child, target, nullable in sorted(columns)
                if child == node
            ),
        )
        for node in range(7)
    ]
    found = order.plan(profiles, lane="sql")
    assert sorted(found.collections) == sorted(profile.name for profile in profiles)
    assert [name for names in found.steps for name in names] == list(found.collections)
    assert order.parents_after_children(found, profiles) == []
    assert not [edge for edge in found.deferred if edge.endswith("_required")]
    # A circle is together only when required columns alone lead all the way round it.
    for cycle in found.cycles:
        reached, before = {cycle[0]}, 0
        while len(reached) > before:
            before = len(reached)
            reached |= {f"c{target}" for child, target, nullable in columns if f"c{child}" in reached and not nullable}
        assert set(cycle) <= reached
    if found.cycles:
        with pytest.raises(order.RequiredCycle):
            order.plan(profiles)
    else:
        assert order.plan(profiles) == found
