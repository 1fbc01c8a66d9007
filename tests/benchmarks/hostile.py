"""Layers and configs made to fill the memory or the time of who reads them, each read in a process of its own."""

from dataclasses import dataclass

from tests.benchmarks.figures import mark, table
from tests.domain.images import test_config_memory as configs
from tests.domain.layers import test_hostile_layers as layers
from tests.domain.layers.hostile import CROWDED, LARGE

MEMORY_MIB, SECONDS, UNHEARD = 256, 20.0, 2.0
TOLD = 60  # characters of what the reader said
WITHIN = 1800  # seconds that a process has, on however busy a machine


@dataclass(frozen=True)
class Cost:
    """What reading one thing took, in CPU seconds; `unheard`: the longest time without a look for a cancel."""

    name: str
    mib: float
    seconds: float
    unheard: float
    told: str


def main() -> None:
    """Read every layer at its full size and every config; print memory, time, and how long a cancel goes unheard."""
    read = [_layer(name) for name in (*CROWDED, *LARGE)]
    unheard = max(each.unheard for each in read)
    print("## Hostile layers and configs\n")
    print(
        "Each is read alone, at the largest size that the limits allow; seconds are those of the processor. "
        f"The worst layer takes {_memory(read)}, the worst package database {_seconds(read[len(CROWDED) :])}; "
        f"a cancel goes unheard for {unheard:.1f} s at most "
        f"(promised: under {UNHEARD:.0f} s{mark(unheard < UNHEARD)}).\n"
    )
    head = ["layer", "peak MiB", "s", "unheard s", "what became of it"]
    rows = [[each.name, f"{each.mib:.0f}", f"{each.seconds:.1f}", f"{each.unheard:.2f}", each.told] for each in read]
    print(table(head, rows), "\n")
    parsed = [_config(name, document) for name, document in configs.HOSTILE.items()]
    print(f"The worst config takes {_memory(parsed)} and {_seconds(parsed)}.\n")
    lines = [[each.name, f"{each.mib:.0f}", f"{each.seconds:.1f}", each.told] for each in parsed]
    print(table(["config of 8 MB", "peak MiB", "s", "what became of it"], lines), "\n")


def _memory(costs: list[Cost]) -> str:
    worst = max(each.mib for each in costs)
    return f"{worst:.0f} MiB (promised: under {MEMORY_MIB}{mark(worst < MEMORY_MIB)})"


def _seconds(costs: list[Cost]) -> str:
    worst = max(each.seconds for each in costs)
    return f"{worst:.1f} s (promised: under {SECONDS:.0f} s, or told as not read{mark(worst < SECONDS)})"


def _layer(name: str) -> Cost:
    found = layers.measured(name, within=WITHIN)
    return Cost(name, found["grown"] / 2**20, found["seconds"], found["silence"], _cut(found["told"]))


def _config(name: str, document: bytes) -> Cost:
    grown, seconds, told = configs.cost("config", document)
    return Cost(name, grown / 2**20, seconds, 0.0, _cut(told))


def _cut(text: str) -> str:
    plain = text.encode("ascii", "replace").decode().replace("|", "/")
    return plain if len(plain) <= TOLD else f"{plain[:TOLD]}..."


if __name__ == "__main__":
    main()
