"""How many layers two stacks share, and how many each has beside: with what they come to."""

from functions_app.services.inventory.images.differences import Differences
from functions_app.web.html.looks import Change, Look, look

LAYER_CHANGES = (Change.KEPT, Change.ADDED, Change.REMOVED)


def layer_changes(found: Differences) -> list[tuple[Look, int, int]]:
    """For each kind of change its look, how many layers there are of it, and their compressed bytes."""
    return [
        (look(Change, change), sum(line.change == change for line in found.layers), found.size(change))
        for change in LAYER_CHANGES
    ]
