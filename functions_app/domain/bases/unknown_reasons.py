"""What to do about a base that is unknown, by the reason, of which the verdict keeps the sentence alone."""

import re
from collections.abc import Sequence

from functions_app.domain.bases.detection import REPOSITORY_NOT_READ

ALIASES_NOT_READ = "Its aliases were not read yet, so what is live is not known."
NOTHING_READ = "Nothing was read of it yet."
ADD_BASE = "Add a base image of your own, so that it is found."
LOOK = "The image's page shows what was found in its layers."
_NEXT_SYNC = "The next sync reads it."
_POLL = "Look at the base's page, and poll base images again."
_PLATFORM = "Deploy the image of one platform: a base belongs to that."
_BUILT_ON = "Build the image on a release that is known, or read the base's older releases by its tags."

STEPS: Sequence[tuple[re.Pattern[str], str]] = [
    (re.compile(begin), step)
    for begin, step in (
        (re.escape(ALIASES_NOT_READ), "The next sync reads them; the function's page says what keeps it from that."),
        (re.escape(NOTHING_READ), _NEXT_SYNC),
        (re.escape(REPOSITORY_NOT_READ), "Add the account and region that hold it in Settings, Accounts."),
        (r"This is an index \(", _PLATFORM),
        (r"This is an attestation ", "Deploy the image that it is about."),
        (r"It was deleted from ECR before ", "Deploy an image that is still there."),
        (r"Its config could not be read: ", "The image's page says why, and what to do; the next sync tries again."),
        (r"Its config has not been read yet\.", _NEXT_SYNC),
        (r"Its config names no layers\.", "Build it anew: no base can be found without layers."),
        (r"No base stream has been read yet", "The next poll of base images reads them; Bases says what keeps it."),
        (r"Its (\d+ layers begin with|one layer is) no known release ", ADD_BASE),
        (r"None of its \d+ layers' chain ids |The chain id of its one layer ", ADD_BASE),  # as it was said before
        (r"Only its settings look like one of Lambda's bases", ADD_BASE),
        (r"An unknown release of |It has layers of ", _BUILT_ON),
        (r"Says that it was built on .+ which release it is, nothing tells\.", _BUILT_ON),
        (r".*: nobody knows since\.", _POLL),
        (r".* has no current release", _POLL),
        (r".*(current when that was last read on )", _POLL),
    )
]


def next_step(reason: str) -> str:
    """What follows from a reason; where it is none of those known, where to look."""
    return next((step for begin, step in STEPS if begin.match(reason)), LOOK)
