"""What happens to the installation, as bots hear of it."""

from enum import StrEnum


class EventKind(StrEnum):
    """What happened; what each tells beside is in docs/api.md."""

    RUN_BEGUN = "run.begun"  # it was accepted, and waits for a worker
    RUN_WAITS = "run.waits"  # for a person: it was paused, or needs an approval
    RUN_ENDED = "run.ended"
    PLAN_WAITS = "plan.waits"  # for somebody else to agree
    PLAN_REJECTED = "plan.rejected"  # or withdrawn; one that is approved becomes a run
    ALIAS_MOVED = "alias.moved"  # seen in AWS, whoever moved it
    BASE_RELEASED = "base.released"  # the current release of a base is another one
