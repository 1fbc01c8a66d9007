"""Why an image can't be rebased, as far as the snapshot tells: before any file is read or any registry asked."""

from functions_app.domain.bases.detection import Tier
from functions_app.domain.rebase.rebase import owners_refusal
from functions_app.domain.rebase.refusals import Reason, Refusal
from functions_app.domain.rebase.stacking import FOREIGN
from functions_app.models import Image

BUILD_ANEW = "Build the image anew on the current release, push it, and deploy it from the function's page."
HISTORY = "Poll the base image with its history, if its dated tags are still there; else build the image anew."
WATCH = "Look at the evidence on the image's page. If it is a base of your own, watch it; else build the image anew."
SAID = 3  # sentences of the evidence
# Why the release that it stands on is not proven layer by layer, and what would help.
_TIERS = {
    Tier.ANNOTATION: ("It says that it stands on {stream}, and its layers are not those of that release: it was "
                      "squashed or flattened, so no layer can be swapped.",
                      "Build it anew on the new release; without --squash the next patch needs no build."),
    Tier.PARTIAL: ("It has layers of {stream}, but not all of any release that is known (a partial match).", HISTORY),
    Tier.HEURISTIC: ("Only its settings look like {stream}: its layers are of no release that is known.", BUILD_ANEW),
}  # fmt: skip


def obstacle(image: Image) -> tuple[str, str]:
    """Why not, and what would help; ("", "") where nothing is known against it."""
    if refusal := _refusal(image):
        return refusal.text, refusal.next_step
    if image.base_stream is None:
        evidence = image.base_evidence[:SAID] or ["It has not been looked at yet."]
        return f"Which base it stands on is not known. {' '.join(evidence)}", WATCH
    if image.base_tier != Tier.EXACT or image.base_release is None:
        unproven = "Which release of {stream} it stands on is not proven layer by layer."
        why, step = _TIERS.get(Tier(image.base_tier), (unproven, BUILD_ANEW))
        return why.format(stream=image.base_stream.name), step
    return "", ""


def _refusal(image: Image) -> Refusal | None:
    if refusal := owners_refusal(image.labels):
        return refusal
    for layer in image.layers:
        if str(layer.get("media_type", "")).startswith(FOREIGN):
            text = f"Layer {layer['digest'][:19]} of the image is kept elsewhere than in a registry (a foreign layer)."
            return Refusal(Reason.FOREIGN_LAYER, text)
    return None
