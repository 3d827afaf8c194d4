"""`make corpus`: every edit on a real Directus; a table; exit 1 when one of them is not what is expected."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests_selftest.corpus import edits_structure, edits_values, look
from tests_selftest.corpus.judge import Verdict, judge
from tests_selftest.corpus.stage import staged

EDITS = (*edits_values.EDITS, *edits_structure.EDITS)


def main(chosen: str = "") -> int:
    """
    Judge every edit whose name holds *chosen*; the exit code.

    One line each: the edit, its classes and codes before anything was sent, what a bare apply did, what ours did.
    """
    began = time.monotonic()
    wrong: list[Verdict] = []
    edits = [edit for edit in EDITS if chosen in edit.name]
    _say(f"{'edit':43} {'class':36} {'codes':18} {'a bare apply':44} ours")
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder, staged(Path(folder)) as production:
        snapshot, before = production.snapshot(), look.content(production)
        for edit in edits:
            seen = judge(production, edit, snapshot, before)
            _say(f"{edit.name:43} {seen.classes:36} {seen.codes:18} {seen.bare:44} {seen.ours}")
            if seen.wrong:
                wrong.append(seen)
                _say("\n".join(f"    WRONG {each}" for each in seen.wrong))
    lost = sum(edit.bare == "lost" for edit in edits)
    _say(
        f"{len(edits)} edits in {time.monotonic() - began:.0f} s: {len(edits) - len(wrong)} as expected, "
        f"{len(wrong)} not; a bare apply loses data in {lost}, this suite only where a waiver covers it"
    )
    return 1 if wrong or not edits else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
