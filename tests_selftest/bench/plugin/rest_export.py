"""
The export over REST of an older commit, for `make bench`: run in that commit's tree, it prints its own seconds.

    python rest_export.py FOLDER COLLECTION...     # PYTHONPATH is the tree; standard input: {"url": …, "token": …}

Standard output is one JSON object: {"seconds": wall time of the export alone, "sha256": {collection: hex digest}}. It
imports the suite by name when it runs, since the modules of an older commit are not those of this one.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path


def main(folder: str, *collections: str) -> int:
    told = json.load(sys.stdin)
    model, checks, systems = (
        importlib.import_module(f"fixtures.{name}")
        for name in ("model.export", "checks.rows.profile", "systems.directus")
    )
    operation = importlib.import_module("fixtures.operations.source.export")
    token = importlib.import_module("fixtures.model.secret").Secret(told["token"])
    source = systems.DirectusObserver(systems.connect(told["url"], token, system="local Directus", read_only=True))
    snapshot = source.snapshot()
    profiles = tuple(checks.profile(snapshot, name) for name in collections)
    counts = tuple(model.CollectionCount(name, 0, 0) for name in collections)
    inventory = model.Inventory(datetime.now(UTC), profiles, counts)
    began = time.perf_counter()
    export = operation.export_data(inventory, source, Path(folder), lambda *_: None)
    seconds = time.perf_counter() - began
    json.dump({"seconds": seconds, "sha256": {each.collection: each.sha256 for each in export.files}}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
