"""How a function is configured, version by version, and how two of them differ, by the snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.configurations import Between, Configuration, Setting, Start, between, settings, started
from functions_app.domain.fleet.functions import LATEST, PUBLISHED_LATEST, unqualified
from functions_app.domain.fleet.parts import Part
from functions_app.models import Alias, Image, Version

DIGITS = 20  # of a version's number: of thousands Python makes no number
CHOICES = 200  # versions to choose from, the newest; any other is asked for by its number
NOT_READ = "Not read yet: the next sync reads it."
NOT_TOLD = "AWS could not tell it, which mostly means that Drydock may not use the function's KMS key."


@dataclass(frozen=True)
class VersionConfiguration:
    """What one version is configured to. `configuration` None: no listing told it; `env_keys` None: not told."""

    number: str
    aliases: tuple[str, ...]
    digest: str
    image: Image | None
    configuration: Configuration | None
    settings: tuple[Setting, ...]
    start: tuple[Start, ...]
    env_keys: tuple[str, ...] | None


@dataclass(frozen=True)
class FunctionConfiguration:
    """A version, the one it is compared with ("" where it is the only one), and what there is to choose from."""

    shown: VersionConfiguration
    against: str
    difference: Between | None
    choices: tuple[str, ...]


def function_configuration(pk: int, version: str = "", against: str = "") -> FunctionConfiguration:
    """The version asked for, else what the first alias runs, else what unqualified calls reach. Three queries.

    It is compared with `against`, else with the version published before it. Raises NOT_FOUND.
    """
    aliases = list(
        Alias.objects.filter(function_id=pk).order_by("name").values_list("name", "version", "second_version")
    )
    published = Version.objects.filter(function_id=pk).order_by("-ordinal")
    choices = tuple(sorted(published.values_list("number", flat=True)[:CHOICES], key=lambda number: number != LATEST))
    shown = version or _usual(aliases, choices)
    other = against or _before(shown, choices)
    wanted = published.filter(number__in={shown, other} - {""}).select_related("image__repository")
    read = wanted.only(
        "number", "digest", "configuration", "image__digest", "image__settings", "image__inspected_at",
        "image__base_tier", "image__base_lineage", "image__base_release", "image__repository__uri",
    )  # fmt: skip
    rows = {row.number: row for row in read}
    for number in (version, against):
        if number and number not in rows:
            raise DrydockError(
                Code.NOT_FOUND, f"Drydock knows no version {number[:20]} of it.", next_step="Choose one of the list."
            )
    one, two = rows.get(shown), rows.get(other)
    after, before = _stored(one), _stored(two)
    return FunctionConfiguration(
        shown=_told(shown, one, aliases),
        against=two.number if two else "",
        difference=between(before, after) if before and after else None,
        choices=choices,
    )


def _usual(aliases: Sequence[tuple[str, str, str]], there: Sequence[str]) -> str:
    live = next((version for _, version, _ in aliases if version in there), "")
    return live or unqualified(PUBLISHED_LATEST in there)


def _before(shown: str, choices: Sequence[str]) -> str:
    """The version published before it; of the first one $LATEST."""
    published = [number for number in choices if number.isdecimal()]
    asked = int(shown) if shown.isdecimal() and len(shown) <= DIGITS else None
    older = [number for number in published if asked is None or int(number) < asked]
    return next(iter(older), LATEST if shown != LATEST and LATEST in choices else "")


def _stored(version: Version | None) -> Configuration | None:
    stored = version.configuration if version else None
    return None if stored is None else Configuration.from_json(stored)


def _told(number: str, row: Version | None, aliases: Sequence[tuple[str, str, str]]) -> VersionConfiguration:
    configuration, image = _stored(row), row.image if row else None
    own = image.settings if image and image.inspected_at else None
    return VersionConfiguration(
        number=number,
        aliases=tuple(name for name, *versions in aliases if number in versions),
        digest=row.digest if row else "",
        image=image,
        configuration=configuration,
        settings=settings(configuration) if configuration else (),
        start=started(configuration, own) if configuration else (),
        env_keys=configuration.env_keys if configuration and configuration.tells(Part.ENVIRONMENT) else None,
    )
