"""What a soak measures, and where it is kept."""

from pathlib import Path

from tests.benchmarks.soaked import kept, with_soak, write
from tests.soak.samples import Series, table

REPORT = "# Benchmarks\n\n## Pages\n\nquick\n\n## Logs\n\nlive\n"


def test_a_report_keeps_the_soak_when_it_is_written_anew(tmp_path: Path) -> None:
    report = tmp_path / "benchmarks.md"
    report.write_text(REPORT)
    write("| what |\n", report)
    section = kept(report.read_text())
    assert section.startswith("## A soak\n")
    assert section.endswith("| what |\n")
    assert with_soak("# Benchmarks\n\n## Pages\n\nslow\n", section) == f"# Benchmarks\n\n## Pages\n\nslow\n\n{section}"


def test_a_later_soak_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    report = tmp_path / "benchmarks.md"
    report.write_text(REPORT)
    write("first\n", report)
    write("second\n", report)
    text = report.read_text()
    assert text.startswith(REPORT)
    assert (text.count("## A soak"), "first" in text, "second" in text) == (1, False, True)


def test_a_report_without_a_soak_is_left_alone() -> None:
    assert kept(REPORT) == ""
    assert with_soak(REPORT, "") == REPORT


def test_the_slope_is_that_of_the_time_after_it_settled() -> None:
    memory = Series("MB")
    for minute in range(60):
        memory.add(minute * 60.0, 100.0 + min(minute, 10) * 20)
    assert abs(memory.after(600).per_hour) < 0.001
    assert memory.per_hour > 50
    assert "| worker | 300.0 | 300.0 | 300.0 | +0.0 MB |" in table({"worker": memory}, 3600)
