"""Edits of columns that hold values: sizes, types, rules."""

from __future__ import annotations

from tests_selftest.corpus.edits import Edit, meta, retype, size

_ONE_CHOICE = {"choices": [{"text": "draft", "value": "draft"}]}

TEXT = (
    Edit("varchar 255 → 10 over longer values", size("articles.title", max_length=10), "SC130", "stopped", "lost"),
    Edit("varchar 255 → 10, every value fits", size("articles.short", max_length=10), "SC130", "sent", "fine"),
    Edit("varchar 120 → 255", size("articles.slug", max_length=255), "SC120", "sent", "fine"),
    Edit("varchar 300 under a view", size("authors.name", max_length=300), "SC120", "stopped", "refused"),
    Edit("varchar 100 under a view", size("authors.name", max_length=100), "SC130", "stopped", "refused"),
    Edit("varchar → text", retype("articles.title", "text"), "SC125", "sent", "fine"),
    Edit("text → varchar 255 over longer values", retype("articles.body", "string"), "SC132", "stopped", "lost"),
    Edit("text → varchar 255, every value fits", retype("articles.summary", "string"), "SC132", "sent", "fine"),
    Edit("text → uuid over words", retype("articles.code", "uuid"), "SC113 SC133", "stopped", "refused"),
    Edit("text → integer over words", retype("articles.code", "integer"), "SC113 SC133", "stopped", "refused"),
    Edit("text → integer, digits only", retype("articles.digits", "integer"), "SC113 SC133", "stopped", "fine"),
    Edit("uuid → varchar 10", retype("articles.token", "string", max_length=10), "SC113 SC132", "stopped", "lost"),
    Edit("csv → json", retype("articles.tags", "json"), "SC113 SC133", "stopped", "refused"),
    Edit("json → text", retype("articles.facts", "text"), "SC113 SC125", "stopped", "fine"),
    Edit("a longer column cut under a waiver", size("articles.title", max_length=10), "SC130", "waived", "lost",
         waive=(("SC130", "articles.title"),)),
)  # fmt: skip

_PRICE = "articles.price"
NUMBERS = (
    Edit("decimal scale 4 → 1 over digits", size(_PRICE, numeric_scale=1), "SC131", "stopped", "lost"),
    Edit("decimal scale 4 → 1, no digit goes", size("articles.round_price", numeric_scale=1), "SC131", "sent", "fine"),
    Edit("decimal precision 12 → 5, too few", size(_PRICE, numeric_precision=5), "SC128", "stopped", "refused"),
    Edit("decimal precision 12 → 8, enough", size(_PRICE, numeric_precision=8), "SC128", "sent", "fine"),
    Edit("decimal (12,4) → (16,6)", size(_PRICE, numeric_precision=16, numeric_scale=6), "SC120", "sent", "fine"),
    Edit("decimal scale 4 → 11, no room", size(_PRICE, numeric_scale=11), "SC128", "stopped", "refused"),
    Edit("decimal → float over many digits", retype("articles.exact", "float"), "SC113 SC132", "stopped", "lost"),
    Edit("decimal → integer over fractions", retype(_PRICE, "integer"), "SC113 SC132", "stopped", "lost"),
    Edit("float → integer over fractions", retype("articles.rating", "integer"), "SC132", "stopped", "lost"),
    Edit("float → integer, whole numbers", retype("articles.whole_rating", "integer"), "SC132", "sent", "fine"),
    Edit("integer → bigint", retype("articles.views", "bigInteger"), "SC126", "stopped", "fine"),
    Edit("integer → bigint, covered by a waiver", retype("articles.views", "bigInteger"), "SC126", "waived", "fine",
         waive=(("SC126", "articles.views"),)),
    Edit("bigint → integer over large values", retype("articles.big", "integer"), "SC113 SC133", "stopped", "refused"),
    Edit("bigint → integer, every value fits", retype("articles.small", "integer"), "SC113 SC133", "stopped", "fine"),
    Edit("bigint → float over 2^53", retype("articles.big", "float"), "SC113 SC132", "stopped", "lost"),
    Edit("integer → text", retype("articles.views", "string"), "SC113 SC132", "stopped", "fine"),
    Edit("integer → boolean", retype("articles.views", "boolean"), "SC113 SC132", "stopped", "lost"),
    Edit("boolean → integer", retype("articles.active", "integer"), "SC113 SC132", "stopped", "fine"),
)  # fmt: skip

TIMES = (
    Edit("timestamp → date over times", retype("articles.published", "date"), "SC113 SC132", "stopped", "lost"),
    Edit("timestamp → date, midnights only", retype("articles.midnight", "date"), "SC113 SC132", "stopped", "fine"),
    Edit("timestamp → dateTime", retype("articles.published", "dateTime"), "SC113 SC132", "stopped", "fine"),
    Edit("dateTime → time", retype("articles.seen", "time"), "SC113 SC132", "stopped", "lost"),
    Edit("date → timestamp", retype("articles.due", "timestamp"), "SC113 SC132", "stopped", "fine"),
)

RULES = (
    Edit("unique over duplicates", size("articles.slug", is_unique=True), "SC135", "stopped", "refused"),
    Edit("unique, every value once", size("articles.short", is_unique=True), "SC135", "sent", "fine"),
    Edit("no longer unique", size("articles.unique_name", is_unique=False), "SC152", "kept", "fine"),
    Edit("no longer unique, covered by a waiver", size("articles.unique_name", is_unique=False),
         "SC152", "waived", "fine", (("SC152", "articles.unique_name"),)),
    Edit("wider and no longer unique", size("articles.unique_name", is_unique=False, max_length=99),
         "SC120 SC152", "kept", "fine"),
    Edit("NOT NULL over nulls", size("articles.summary", is_nullable=False), "SC134", "stopped", "refused"),
    Edit("NOT NULL over nulls, with a default", size("articles.summary", is_nullable=False, default_value="-"),
         "SC123 SC134", "stopped", "refused"),
    Edit("NOT NULL, no null", size("articles.title", is_nullable=False), "SC134", "sent", "fine"),
    Edit("null allowed", size("articles.must", is_nullable=True), "SC121", "sent", "fine"),
    Edit("another default", size("articles.status", default_value="archived"), "SC123", "sent", "fine"),
    Edit("an index", size("articles.code", is_indexed=True), "SC124", "sent", "fine"),
    Edit("no index any more", size("articles.indexed", is_indexed=False), "SC153", "kept", "fine"),
    Edit("no index any more, covered by a waiver", size("articles.indexed", is_indexed=False),
         "SC153", "waived", "fine", (("SC153", "articles.indexed"),)),
    Edit("no index any more, made by hand", size("authors.country", is_indexed=False), "SC153", "kept", "refused"),
    Edit("no index any more, made by hand, covered by a waiver", size("authors.country", is_indexed=False),
         "SC153", "stopped", "refused", (("SC153", "authors.country"),)),
    Edit("an index whose name is taken", size("words.text", is_indexed=True), "SC124", "stopped", "refused"),
    Edit("an index on a key", size("words.key", is_indexed=True), "SC154", "kept", "refused"),
    Edit("a JSON field without its mark", meta("articles.facts", special=None), "SC148", "kept", "fine"),
    Edit("a JSON field with another mark", meta("articles.facts", special=["cast-csv"]), "SC113", "stopped", "fine"),
    Edit("required", meta("articles.code", required=True), "SC111", "stopped", "fine"),
    Edit("a choice less", meta("articles.status", options=_ONE_CHOICE), "SC110", "sent", "fine"),
    Edit("an option more", lambda d: d.field("articles.status")["meta"]["options"].update(icon="flag"),
         "SC110", "sent", "fine"),
    Edit("an option less", lambda d: d.field("articles.status")["meta"]["options"].pop("choices"),
         "SC143", "kept", "fine"),
    Edit("a note", meta("articles.title", note="as in chapter 3"), "SC110", "sent", "fine"),
)  # fmt: skip

EDITS = (*TEXT, *NUMBERS, *TIMES, *RULES)
