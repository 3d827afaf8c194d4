"""The most a process ever held, on Linux and macOS."""

from __future__ import annotations

import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")


def high_water_mb(status: str) -> float:
    """The most a process ever held, in MB, by the text of its /proc/<pid>/status; 0 when it has ended."""
    return next((int(line.split()[1]) / 1e3 for line in status.splitlines() if line.startswith("VmHWM:")), 0.0)


def own_peak_mb() -> float:
    """
    The most this process ever held, in MB.

    On Linux by /proc, because ru_maxrss begins with what the process that started this one held; macOS counts in bytes.
    """
    if _STATUS.exists():
        return high_water_mb(_STATUS.read_text())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
