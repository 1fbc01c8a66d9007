"""What is measured of an installation as time goes by, and how it changes."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SETTLED = 600.0  # seconds: caches are full and every code path was taken once; of a short soak a third of it


@dataclass
class Series:
    """One figure over time: seconds since the beginning, and its value."""

    unit: str
    at: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, at: float, value: float) -> None:
        """One sample more."""
        self.at.append(at)
        self.values.append(value)

    def after(self, seconds: float) -> "Series":
        """What was measured from then on."""
        first = next((number for number, at in enumerate(self.at) if at >= seconds), len(self.at))
        return Series(self.unit, self.at[first:], self.values[first:])

    @property
    def per_hour(self) -> float:
        """The slope of the line that fits best; 0 where there is none."""
        if len(set(self.at)) < 2:
            return 0.0
        return statistics.linear_regression(self.at, self.values).slope * 3600


def of_process(pid: int) -> dict[str, float]:
    """Memory of its own (MB), threads and open files of a process; nothing where it has ended (Linux).

    SQLite's file is mapped by every process (`mmap_size`), and what is mapped counts as resident: it grows with the
    file up to that size, and is the system's to take back.
    """
    place = Path(f"/proc/{pid}")
    try:
        status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
        files = len(list((place / "fd").iterdir()))
    except (OSError, ValueError):
        return {}
    if "RssAnon" not in status:
        return {}
    return {"MB": int(status["RssAnon"].split()[0]) / 1024, "threads": float(status["Threads"]), "files": float(files)}


def size_of(paths: Iterable[Path]) -> float:
    """Megabytes of files, and of what folders hold."""
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def table(series: Mapping[str, Series], seconds: float) -> str:
    """Markdown: each figure when it had settled, at the end, its most, and its slope after that."""
    settled = min(SETTLED, seconds / 3)
    rows = ["| what | settled | end | most | slope per hour |", "| --- | --- | --- | --- | --- |"]
    for name, one in series.items():
        late = one.after(settled)
        if late.values:
            begin, end = _mean(late.values[:6]), _mean(late.values[-6:])
            most, slope = max(late.values), late.per_hour
            rows.append(f"| {name} | {begin:,.1f} | {end:,.1f} | {most:,.1f} | {slope:+,.1f} {one.unit} |")
    return "\n".join(rows)


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values)
