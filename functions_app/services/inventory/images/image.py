"""One image: its layers and which base each belongs to, its config, Lambda's rules and what could be better."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db.models import Case, Q, Value, When

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.lambda_rules import Check
from functions_app.models import Account, Alias, Image, Tag, Version
from functions_app.services.inventory.images.checks import advice_of, rules_of
from functions_app.services.inventory.images.contents import Contents, read_contents
from functions_app.services.inventory.images.levels import Layer, LevelRow, layers_of, levels_of
from functions_app.services.people import accounts

VERSIONS = 200  # of a function that can be chosen
LABELS, LABEL = 60, 600  # labels and annotations shown, and characters of each


@dataclass(frozen=True)
class ImageFacts:
    """All that is known of an image itself; `levels` are the bases beneath it, the nearest first.

    `labels` and `annotations` are the first of them, in the order of their names.
    """

    image: Image
    levels: tuple[LevelRow, ...]
    layers: tuple[Layer, ...]
    base_bytes: int
    own_bytes: int
    tags: tuple[str, ...]
    versions: tuple[str, ...]
    checks: tuple[Check, ...]
    advice: tuple[Check, ...]
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    contents: Contents


@dataclass(frozen=True)
class VersionImage:
    """A version whose image is known, with the aliases that calls reach it by."""

    version: Version
    aliases: tuple[str, ...]


def function_images(pk: int) -> tuple[VersionImage, ...]:
    """The versions of a function whose image is known: what is live first, production's before others', then what
    calls without an alias reach, then the newest. Three queries.
    """
    pointing: dict[str, list[str]] = defaultdict(list)
    rows = Alias.objects.filter(function=pk).values_list("name", "version", "second_version")
    by_name = {name: numbers for name, *numbers in rows}
    for name in accounts.production(Account.objects.get(functions=pk)).first(by_name):
        for number in filter(None, by_name[name]):
            pointing[number].append(name)
    found = (
        Version.objects.filter(function=pk, image__isnull=False)
        .annotate(live=Case(When(Q(number__in=list(pointing)) | Q(ordinal__lte=0), then=Value(0)), default=Value(1)))
        .only("number", "ordinal", "digest", "image_id")
        .order_by("live", "-ordinal")[:VERSIONS]
    )
    rank = {number: at for at, number in enumerate(pointing)}
    # $LATEST is 0, and $LATEST.PUBLISHED, which goes before it, -1.
    known = sorted(found, key=lambda row: (rank.get(row.number, len(rank)), row.ordinal > 0, abs(row.ordinal) * -1))
    return tuple(VersionImage(version, tuple(pointing.get(version.number, ()))) for version in known)


def image_row(pk: int) -> Image:
    """An image with its repository, account and stream. One query. Raises NOT_FOUND."""
    found = Image.objects.select_related("repository__account", "base_stream").filter(pk=pk).first()
    if found is None:
        raise DrydockError(Code.NOT_FOUND, "Drydock knows no such image.", next_step="Look for it in Repositories.")
    return found


def image_facts(image: Image, versions: Sequence[Version] = (), architecture: str = "") -> ImageFacts:
    """What is known of an image (image_row); `versions` of a function, of which those that run it are named.

    `architecture` is the function's, '' for none in particular. Three queries, or four.
    """
    tags = Tag.objects.filter(repository_id=image.repository_id, digest=image.digest).order_by("name")
    levels = levels_of(image)
    layers = layers_of(image, levels)
    contents = read_contents(image, sum(layer.from_base for layer in layers))
    return ImageFacts(
        image=image,
        levels=levels,
        layers=tuple(replace(layer, read=contents.layers.get(layer.diff_id)) for layer in layers),
        base_bytes=sum(layer.size_bytes for layer in layers if layer.from_base),
        own_bytes=sum(layer.size_bytes for layer in layers if not layer.from_base),
        tags=tuple(tags.values_list("name", flat=True)),
        versions=tuple(version.number for version in versions if version.image_id == image.pk),
        checks=rules_of(image, architecture, contents),
        advice=advice_of(image, levels, layers, contents),
        labels=_first(image.labels),
        annotations=_first(image.annotations),
        contents=contents,
    )


def _first(texts: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((key[:LABEL], str(value)[:LABEL]) for key, value in sorted(texts.items())[:LABELS])
