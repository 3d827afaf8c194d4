"""A shop: products in a tree of categories, orders, and what production has grown by itself."""

from __future__ import annotations

from typing import Any

from tests_selftest.projects.shapes.parts import Shape, alias, choices, collection, column, key, relation, stamps


def shop() -> Shape:
    """11 collections, as they are in local."""
    made = [
        *_common(
            products=[
                column("attributes", "json"),
                column("brand", "integer"),
                column("weight", "float"),
                alias("images", "files", "files"),
            ],
            orders=[column("coupon", max_length=12), column("gift", "boolean", default_value=False)],
        ),
        collection("brands", key(), column("name", is_nullable=False, is_unique=True), column("logo", "uuid")),
        collection("coupons", column("code", is_primary_key=True, is_nullable=False, max_length=12),
                   column("percent", "integer", default_value=10), column("until", "date")),
        collection("reviews", key(), column("product", "uuid", is_nullable=False), column("stars", "integer"),
                   column("text", "text"), *stamps()),
        collection("products_files", key(), column("products_id", "uuid"), column("directus_files_id", "uuid"),
                   hidden=True),
        collection("shop_settings", key(), column("name"), column("featured", "uuid"), singleton=True),
    ]  # fmt: skip
    related = [
        *_common_relations(),
        relation("products", "brand", "brands"),
        relation("brands", "logo", "directus_files"),
        relation("orders", "coupon", "coupons"),
        relation("reviews", "product", "products", on_delete="CASCADE"),
        relation("reviews", "user_created", "directus_users"),
        relation("products_files", "products_id", "products", one_field="images", junction_field="directus_files_id"),
        relation("products_files", "directus_files_id", "directus_files", junction_field="products_id"),
        relation("shop_settings", "featured", "products"),
    ]
    return Shape(tuple(made), tuple(related))


def shop_in_production() -> Shape:
    """As it went live: without what came later, with a column and a collection that only production has."""
    made = [
        *_common(products=[column("shelf", max_length=10)], orders=[]),
        collection("newsletter", key(), column("email", is_unique=True), column("joined", "timestamp")),
    ]
    return Shape(tuple(made), tuple(_common_relations()))


def _common(*, products: list[dict[str, Any]], orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What both sides have; *products* and *orders* are the columns that differ."""
    return [
        collection("categories", key(), column("name", is_nullable=False), column("slug", is_unique=True),
                   column("parent", "integer"), column("sort", "integer"), sort_field="sort"),
        collection("products", key("uuid"), column("name", is_nullable=False), column("sku", is_unique=True),
                   column("price", "decimal", numeric_precision=10, numeric_scale=2), column("body", "text"),
                   column("stock", "integer", default_value=0), column("tags", "csv"), column("category", "integer"),
                   column("photo", "uuid"), column("active", "boolean", default_value=True), *products, *stamps()),
        collection("customers", key("uuid"), column("email", is_unique=True), column("name", is_nullable=False),
                   column("address", "json"), column("since", "date")),
        collection("orders", key("uuid"), column("number", "integer", is_unique=True),
                   column("customer", "uuid", is_nullable=False), column("placed", "timestamp"),
                   column("status", default_value="new", meta=choices("new", "paid", "sent")), *orders),
        collection("order_lines", key(), column("order", "uuid", is_nullable=False), column("product", "uuid"),
                   column("amount", "integer", is_nullable=False),
                   column("price", "decimal", numeric_precision=10, numeric_scale=2)),
        collection("shipping_zones", key(), column("name"), column("countries", "json")),
    ]  # fmt: skip


def _common_relations() -> list[dict[str, Any]]:
    return [
        relation("categories", "parent", "categories"),
        relation("products", "category", "categories"),
        relation("products", "photo", "directus_files"),
        relation("products", "user_created", "directus_users"),
        relation("products", "user_updated", "directus_users"),
        relation("orders", "customer", "customers", on_delete="NO ACTION"),
        relation("order_lines", "order", "orders", on_delete="CASCADE"),
        relation("order_lines", "product", "products"),
    ]
