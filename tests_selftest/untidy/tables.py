"""Tables, keys, views, triggers and Directus' own tables, as people make and change them."""

from __future__ import annotations

from tests_selftest.untidy.design import Feature, Table, configure, quoted, track
from tests_selftest.untidy.kind import Kind

_NAMED = "CREATE TABLE {o} (id serial PRIMARY KEY, name varchar(255))"
_ONE_ROW = "INSERT INTO {o} (name) VALUES ('a')"
_FILE = "00000000-0000-4000-8000-00000000e001"
_FOLDERS = ("00000000-0000-4000-8000-00000000f001", "00000000-0000-4000-8000-00000000f002")
_FUNCTION = "CREATE FUNCTION {o}_f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} RETURN NEW; END$$"
_TRIGGER = "CREATE TRIGGER {o} BEFORE {when} ON {t} FOR EACH ROW EXECUTE FUNCTION {o}_f()"
_FILE_ROW = f"""
    INSERT INTO directus_files (id, storage, filename_disk, filename_download, title, type, uploaded_on, filesize,
      description, location, tags, metadata, focal_point_x, focal_point_y, charset, embed, duration, width, height)
    VALUES ('{_FILE}', 'local', '{{o}}.txt', 'own.txt', 'Own', 'text/plain', '2020-01-02 03:04:05.678Z', 5,
      'Description', 'Here', 'a,b', '{{"x":12345678901234567890}}', 3, 4, 'utf-8', 'youtube', 77, 10, 20)
    ON CONFLICT DO NOTHING
"""


def _lone(
    name: str, *statements: str, outside: bool = False, plain: bool = False, before: str = "",
    names: tuple[str, ...] = (), files: bool = False, on_table: bool = False,
) -> Kind:  # fmt: skip
    """
    A kind that is statements; "{o}" is the name of the object, "{t}" its quoted table, "{m}" the bare one.

    Args:
        before: A statement before the tables are made.
        names: What else a finding may name.
        files: Whether the folder of files must have the object's.
        on_table: Whether it is on a table of the design.
    """

    def make(table: Table, object_name: str, _: Table) -> Feature:
        def filled(statement: str) -> str:
            return statement.replace("{o}", object_name).replace("{t}", quoted(table.name)).replace("{m}", table.name)

        return Feature(
            name, (object_name, *map(filled, names)), table.name if on_table else "",
            before=(filled(before),) if before else (), after=tuple(map(filled, statements)), outside=outside,
            plain=plain, files=(f"{object_name}.txt",) if files else (),
        )  # fmt: skip

    return Kind(name, make, plain)


def _tracked(*fields: str, name: str = "{o}") -> tuple[str, ...]:
    """The rows with which Directus knows a table and its fields."""
    return track(name), *(configure(name, each) for each in fields)


def tables() -> list[Kind]:
    """Whole tables, and what is on a table but on none of its columns."""
    view = "VIEW {o} AS SELECT id, title FROM {t}"
    known = _tracked("id", "name")
    parts = "CREATE TABLE {o} (id integer PRIMARY KEY, name varchar(255)) PARTITION BY RANGE (id)"
    two = "CREATE TABLE {o} (a integer, b integer, name text, PRIMARY KEY (a, b))"
    tool = "CREATE TABLE {o} (id serial PRIMARY KEY, mh_id varchar(255), directus_id varchar(255))"
    capitals = 'CREATE TABLE "{o} Big" (id serial PRIMARY KEY, "Full Name" varchar(255), "order" integer)'
    return [
        _lone("untracked table", _NAMED, _ONE_ROW, outside=True),
        _lone("view", f"CREATE {view}", outside=True, on_table=True),
        _lone("tracked view", f"CREATE {view}", track("{o}"), outside=True, on_table=True),
        _lone("materialized view", f"CREATE MATERIALIZED {view}", outside=True, on_table=True),
        _lone("table without rows in directus_fields", _NAMED, _ONE_ROW, *_tracked()),
        _lone("table with an unconfigured key", _NAMED, _ONE_ROW, *_tracked("name")),
        _lone("tracked table without a key", "CREATE TABLE {o} (name varchar(255))", _ONE_ROW, *_tracked("name")),
        _lone("tracked table with a key of two", two,
              "INSERT INTO {o} VALUES (1, 2, 'a')", *_tracked("a", "b", "name")),
        _lone("bookkeeping of another tool", tool, "INSERT INTO {o} (mh_id) VALUES ('a')",
              *_tracked("id", "mh_id", "directus_id"), plain=True),
        _lone("partitioned table", parts, "CREATE TABLE {o}_1 PARTITION OF {o} FOR VALUES FROM (0) TO (100)",
              "INSERT INTO {o} VALUES (1, 'a')", *known),
        _lone("inherited table", "CREATE TABLE {o} (extra varchar(255), PRIMARY KEY (id)) INHERITS ({t})",
              *_tracked("id", "title", "extra"), on_table=True),
        _lone("unlogged table", _NAMED.replace("TABLE", "UNLOGGED TABLE"), _ONE_ROW, *known),
        _lone("collection with capitals", capitals, 'INSERT INTO "{o} Big" ("Full Name", "order") VALUES (\'a\', 1)',
              *_tracked("id", "Full Name", "order", name="{o} Big"), names=("{o} Big",)),
        _lone("singleton", _NAMED, _ONE_ROW, *known,
              "UPDATE directus_collections SET singleton = true WHERE collection = '{o}'", plain=True),
        _lone("folder of collections", track("{o}"), plain=True),
        _lone("row level security", _NAMED, _ONE_ROW,
              "ALTER TABLE {o} ENABLE ROW LEVEL SECURITY", *known, outside=True),
        _lone("trigger that changes", _TRIGGER.replace("{when}", "INSERT OR UPDATE"), outside=True, on_table=True,
              before=_FUNCTION.replace("{body}", "NEW.title := NEW.title || '!';"), names=("{m}",)),
        _lone("trigger that swallows", _TRIGGER.replace("{when}", "INSERT"), outside=True, on_table=True,
              before=_FUNCTION.replace("{body}", "IF NEW.title LIKE '% 3' THEN RETURN NULL; END IF;"), names=("{m}",)),
        *_library(),
    ]  # fmt: skip


def _library() -> list[Kind]:
    """Directus' own tables that have rows of the project."""

    def custom(table: str) -> tuple[str, str]:
        return f"ALTER TABLE {table} ADD COLUMN {{o}} varchar(255)", configure(table, "{o}")

    outer, inner = _FOLDERS
    return [
        _lone("files with details", _FILE_ROW, plain=True, files=True),
        _lone("custom column of files", *custom("directus_files"), _FILE_ROW,
              "UPDATE directus_files SET {o} = 'licence'", files=True),
        _lone("custom column of folders", *custom("directus_folders"),
              f"INSERT INTO directus_folders (id, name, {{o}}) VALUES ('{outer}', 'f', 'x')"),
        _lone("custom column of users", *custom("directus_users"),
              "UPDATE directus_users SET {o} = 'x'"),
        _lone("nested folders",
              f"INSERT INTO directus_folders (id, name) VALUES ('{outer}', 'a') ON CONFLICT DO NOTHING",
              f"INSERT INTO directus_folders (id, name, parent) VALUES ('{inner}', 'b', '{outer}')", plain=True),
    ]  # fmt: skip


def keys() -> list[Kind]:
    """Keys of every form; the feature is the table itself."""

    def key(name: str, value: str, *, plain: bool = False) -> Kind:
        def make(table: Table, _: str, __: Table) -> Feature:
            return Feature(name, (table.name,), table.name, plain=plain)

        return Kind(name, make, plain, key=value)

    return [
        key("key serial", "serial", plain=True),
        key("key bigserial", "bigserial", plain=True),
        key("key uuid", "uuid", plain=True),
        key("key string", "string", plain=True),
        key("key integer without sequence", "integer"),
        key("key identity", "identity"),
        key("key identity always", "identity always"),
        key("key smallserial", "smallserial"),
        key("key varchar without length", "varchar without length"),
        key("key char(8)", "char(8)"),
        key("key with another sequence", "own sequence"),
    ]
