"""What the words of this house mean, told beside the thing: `_help.html` draws one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A word and what it means, in a sentence or two; docs/ says more."""

    word: str
    meaning: str


TERMS = {
    "base": Term(
        "Base image",
        "What a function's image was built on. It is found by its layers; the evidence says how sure that is.",
    ),
    "deployed-as": Term(
        "Deployed as, and moved",
        "Lambda resolves a tag once, when code is deployed. A tag that was pushed again since has moved: the function "
        "goes on with the old digest.",
    ),
    "forecast": Term(
        "Forecast",
        "What the repository's lifecycle policy would delete next, as ECR itself previews it. A live image among them "
        "makes cold starts fail.",
    ),
    "past-aliases": Term(
        "Past the aliases",
        "A trigger on the bare function reaches $LATEST, whatever its aliases point to: neither canary nor rollback "
        "changes what it calls.",
    ),
    "production": Term(
        "Production aliases",
        "What carries production traffic, by its name: each account's setting says which. Aliases that only keep a way "
        "back are none of them. A function counts once, by the worst of them.",
    ),
    "rollback-targets": Term(
        "Rollback targets",
        "Versions that an alias was seen at before, or that were published earlier, whose image is still there to go "
        "back to.",
    ),
    "selection": Term(
        "Selected functions",
        "The list as it was found at that moment. It stays so, whatever the filter would find now, for a day.",
    ),
}
