"""The garbage collector leaves alone what was there before the first line."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_objects_of_pytest_and_the_suite_are_not_searched_again(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(
        """
        import gc

        def test_frozen():
            assert gc.get_freeze_count() > 10_000
            assert gc.get_threshold()[0] >= 10_000
            assert gc.isenabled()
        """
    )
    result = pytester.runpytest_subprocess("-p", "fixtures.plugins.garbage_collection")
    result.assert_outcomes(passed=1)
