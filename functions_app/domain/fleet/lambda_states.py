"""What Lambda's words for a state and for a last update mean for what Drydock does. AWS adds words: one that is not
here is kept, shown and not trusted.

Sources: "Lambda function states" and "Lambda Managed Instances" in AWS's guide, the enums State and LastUpdateStatus of
botocore's model. Only Active, with its last update Successful, is ready. [i] marks what no document of AWS says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

ACTIVE, NON_INVOCABLE = "Active", "ActiveNonInvocable"


class Waiting(StrEnum):
    """What a run does that waits until a version can be called."""

    DONE = "done"
    WAIT = "wait"  # up to the limit of its step
    FAIL = "fail"


@dataclass(frozen=True)
class Meaning:
    """What a word means. True: it may; None: it may, and somebody should mind; False: it may not.

    `change`: whether $LATEST may be given another image. `serve`: whether an alias may be pointed at a version in it.
    `says` follows "The function is Pending: "; `why` is why a run waits, or does not.
    """

    change: bool | None
    serve: bool | None
    waiting: Waiting
    says: str
    why: str

    @property
    def ready(self) -> bool:
        """Whether calls are answered without more ado."""
        return self.serve is True


STATES: Mapping[str, Meaning] = {
    ACTIVE: Meaning(True, True, Waiting.DONE, "it takes calls", "nothing is left to wait for"),
    "Pending": Meaning(
        False, False, Waiting.WAIT, "Lambda is still preparing it; try again soon", "Lambda ends it by itself"
    ),
    "Inactive": Meaning(
        None, None, Waiting.WAIT, "it was idle; its first call is refused and wakes it, as an update does",
        "an update wakes it, which takes up to minutes",
    ),
    "Failed": Meaning(
        None, False, Waiting.FAIL, "calls fail; a new image can mend it", "Lambda never leaves it by itself"
    ),
    "Deactivating": Meaning(
        False, False, Waiting.FAIL, "it is being taken out of service, and calls end being answered",
        "only somebody who gives it capacity again ends it",
    ),
    "Deactivated": Meaning(
        False, False, Waiting.FAIL, "it is out of service until somebody gives it capacity again",
        "only somebody who gives it capacity again ends it",
    ),
    NON_INVOCABLE: Meaning(
        False, False, Waiting.WAIT, "Lambda holds it and takes no calls for it",
        "a version of Managed Instances may become Active once it has capacity [i]",
    ),
    "Deleting": Meaning(False, False, Waiting.FAIL, "Lambda is deleting it", "it will not come back"),
}  # fmt: skip
NOT_TOLD = Meaning(
    None,
    None,
    Waiting.WAIT,
    "AWS does not tell its state",
    "the next answer may tell it; the step's limit ends the wait",
)
UNKNOWN = Meaning(
    False, False, Waiting.WAIT, "Drydock does not know this state, and trusts none that it does not know",
    "it may be on the way to Active; the step's limit ends the wait",
)  # fmt: skip
MANAGED_LATEST = replace(
    STATES[NON_INVOCABLE],
    change=None,
    waiting=Waiting.DONE,
    says="on Managed Instances $LATEST takes no calls: a published version does",
    why="$LATEST of Managed Instances stays in it; the version that is published from it is waited for",
)
"""$LATEST of a function with a capacity provider: what it has for good is no obstacle to publishing from it."""

UPDATES: Mapping[str, Meaning] = {
    "Successful": Meaning(True, True, Waiting.DONE, "the last update has ended", "nothing is left to wait for"),
    "InProgress": Meaning(
        False, True, Waiting.WAIT, "an update is in progress; wait until it has ended", "Lambda ends it by itself"
    ),
    "Failed": Meaning(None, True, Waiting.FAIL, "the last update failed", "Lambda does not try again"),
}
UPDATE_NOT_TOLD = Meaning(
    None, True, Waiting.WAIT, "AWS does not tell how the last update ended",
    "the next answer may tell it; the step's limit ends the wait",
)  # fmt: skip
UPDATE_UNKNOWN = Meaning(
    False, True, Waiting.WAIT, "Drydock does not know this status of the last update, and does not trust it",
    "it may be on the way to Successful; the step's limit ends the wait",
)  # fmt: skip


def state_meaning(word: str, *, managed_latest: bool = False) -> Meaning:
    """What a State means; `managed_latest`: it is that of $LATEST of a function on Managed Instances."""
    if word == NON_INVOCABLE and managed_latest:
        return MANAGED_LATEST
    return STATES.get(word, UNKNOWN) if word else NOT_TOLD


def update_meaning(word: str, state: str) -> Meaning:
    """What a LastUpdateStatus means. Lambda tells none while a function is being created (State Pending)."""
    if not word:
        return UPDATES["Successful"] if state == "Pending" else UPDATE_NOT_TOLD
    return UPDATES.get(word, UPDATE_UNKNOWN)


def readiness(word: str) -> int:
    """From the best to the worst, for choosing among several: ready, not read, on the way, asleep, anything else."""
    order = (ACTIVE, "", "Pending", "Inactive")
    if word == "Failed":
        return len(order) + 1
    return order.index(word) if word in order else len(order)
