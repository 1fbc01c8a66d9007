"""What can be found about a rebase: one rule per code, each with its level, a sentence and its part of the manual."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Any

from functions_app.domain.redaction import redact
from functions_app.domain.text import storable

DETAIL, PATH = 500, 4096  # characters
SHOWN = 20  # paths of a finding that are kept; of all it is told how many there are
DOCUMENT = "docs/patching.md"


class Level(StrEnum):
    """How safe a rebase is: SAFE goes on, REVIEW needs somebody who looked, UNSAFE is refused."""

    SAFE = "safe"
    REVIEW = "review"
    UNSAFE = "unsafe"


class Offer(StrEnum):
    """What is offered instead of an unsafe rebase."""

    REBUILD = "rebuild"  # the FROM line and the build command
    MOVE = "move"  # an assisted move to another operating system, with a rebuild
    NOTHING = "nothing"  # the base itself must not be used


@dataclass(frozen=True)
class Rule:
    """A kind of finding. `sentence` says what is so; why it matters and what to do stands at `anchor`."""

    code: str
    level: Level
    sentence: str
    offer: Offer = Offer.REBUILD

    @property
    def of_golden(self) -> str:
        """The sentence where the app is a golden image."""
        return self.sentence.replace("he app", "he golden image")

    @property
    def anchor(self) -> str:
        """Where the manual explains it."""
        return f"{DOCUMENT}#{self.code}"


def _unsafe(code: str, sentence: str, offer: Offer = Offer.REBUILD) -> Rule:
    return Rule(code, Level.UNSAFE, sentence, offer)


def _review(code: str, sentence: str) -> Rule:
    return Rule(code, Level.REVIEW, sentence)


RULES: Mapping[str, Rule] = {
    rule.code: rule
    for rule in (
        # The base as a whole
        _unsafe("base-withdrawn", "The base release was withdrawn.", Offer.NOTHING),
        _review("base-too-young", "The base release is younger than its stream's soak time."),
        _unsafe("os-changed", "The new base has another operating system, or another major release of it.", Offer.MOVE),
        _unsafe("os-older", "The new base has an older release of its operating system.", Offer.NOTHING),
        _unsafe("libc-older", "The new base has an older C library.", Offer.NOTHING),
        _review("os-unknown", "Which operating system a base has could not be told."),
        _unsafe("interpreter-changed", "The new base does not have the interpreter's minor version of the old one."),
        _unsafe("native-abi", "The app's compiled extensions are for an interpreter that the new base does not have."),
        _unsafe("image-too-large", "The result would be beyond Lambda's limits."),
        # Files of the base that the app's layers write or take away
        _unsafe("package-database", "The app's layers write the operating system's package database."),
        _unsafe("accounts-both", "The accounts or groups were changed by the app and by the new base."),
        _unsafe("package-pinned", "The app writes or removes files of a package that differs between the bases."),
        _unsafe("override-changed", "The app overrides code that changed between the bases."),
        _review("override-copy", "The app has copies of the old base's own code, which hide the new base's."),
        _review("settings-override", "The app overrides settings that changed between the bases."),
        _unsafe("hides-new-code", "The new base adds code that the app's layers hide."),
        _unsafe("hard-link-changed", "The app has hard links to files of the base that changed."),
        _unsafe("kind-changed", "A path that the app uses is a file in one base, a directory or a link in the other."),
        _unsafe("link-moved", "A link of the base moved: files of the app would lie elsewhere."),
        _review("opaque-directory", "The app's layers hide all that a directory of the base has."),
        _review("library-removed", "The app's layers remove shared libraries of the base."),
        _review("linker-cache", "The app's layers write the list of shared libraries (ld.so.cache)."),
        _review("certificates", "The app's layers write the list of trusted certificate authorities."),
        _review("privileges", "The app gives files of the base privileges or extended attributes."),
        # What the app uses of the base
        _unsafe("entry-gone", "What the image starts, or a file of the base that it links to, is gone or moved."),
        _unsafe("library-missing", "A shared library that the app's programs need is not in the new base."),
        _unsafe("symbol-missing", "The new base's libraries lack a version that the app's programs need."),
        _review("already-missing", "The app's programs need libraries that the old base did not have either."),
        _review("module-gone", "The app imports a module of the base that is gone."),
        _review("not-read", "Not everything in the layers could be read."),
        # How the app was built
        _review("system-command", "The app's build ran commands that change the operating system."),
        _review("signature-lost", "The image's signatures do not cover the result."),
        _review("sbom-lost", "The image's bill of materials does not describe the result."),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """Something that was found: by its rule's code, with the first of `count` paths, and what is special about it.

    Where it is not about paths, they are what it is about: commands, signatures, sentences on what was not read.
    """

    code: str
    paths: tuple[str, ...] = ()
    count: int = 0
    detail: str = ""

    @property
    def rule(self) -> Rule:
        """What this kind of finding means."""
        return RULES[self.code]

    @property
    def level(self) -> Level:
        """How safe it leaves the rebase."""
        return self.rule.level

    def kept(self) -> "Finding":
        """The same with texts that are fit for being stored and shown: they come from layers and build commands."""
        paths = tuple(storable(redact(path), PATH) for path in self.paths)
        return replace(self, paths=paths, detail=storable(redact(self.detail), DETAIL))

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON column; `from_json` reads them back."""
        return {"code": self.code, "paths": list(self.paths), "count": self.count, "detail": self.detail}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Finding":
        """Read what `as_json` wrote."""
        return cls(value["code"], tuple(value["paths"]), value["count"], value["detail"])


@dataclass(frozen=True)
class Verdict:
    """How safe a rebase is, with all that was found, the worst first and then in the order of the rules."""

    level: Level = Level.SAFE
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Verdict":
        """The verdict that these findings make."""
        levels, codes = list(Level), list(RULES)
        kept = [finding.kept() for finding in findings]
        ordered = sorted(kept, key=lambda one: (-levels.index(one.level), codes.index(one.code)))
        return cls(ordered[0].level if ordered else Level.SAFE, tuple(ordered))

    @property
    def offer(self) -> Offer | None:
        """What is offered where it is refused: of several the one that asks the most."""
        offers = {finding.rule.offer for finding in self.findings if finding.level == Level.UNSAFE}
        return next((offer for offer in (Offer.NOTHING, Offer.MOVE, Offer.REBUILD) if offer in offers), None)

    def as_json(self) -> dict[str, Any]:
        """Plain values for a JSON column; `from_json` reads them back."""
        return {"level": self.level.value, "findings": [finding.as_json() for finding in self.findings]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Verdict":
        """Read what `as_json` wrote."""
        return cls(Level(value["level"]), tuple(Finding.from_json(row) for row in value["findings"]))


def found(code: str, paths: Iterable[str], detail: str = "") -> list[Finding]:
    """A finding of these paths in a list; none where there are no paths."""
    every = sorted(set(paths))
    return [Finding(code, tuple(islice(every, SHOWN)), len(every), detail)] if every else []
