"""What each image row of a repository is, kept in its columns: image, index, part of one, artifact of which image."""

from collections import defaultdict
from collections.abc import Collection

from functions_app.domain.images.roles import Held, places
from functions_app.models import Image, Tag
from functions_app.services.snapshot.bulk_updates import update_rows

FACTS = ("pk", "repository_id", "digest", "media_type", "artifact_type", "subject", "layers__0__media_type")


def decide(repository_ids: Collection[int]) -> int:
    """Decide anew for all that these repositories hold; how many rows changed. Three queries."""
    there = Image.objects.filter(repository__in=repository_ids, gone_at=None)
    rows = list(there.values_list(*FACTS, "role", "part_of"))
    tags: dict[tuple[int, str], list[str]] = defaultdict(list)
    named = Tag.objects.filter(repository__in=repository_ids).order_by("name")
    for repository, digest, name in named.values_list("repository_id", "digest", "name"):
        tags[repository, digest].append(name)
    parts = {
        pk: tuple((entry["digest"], entry["platform"]) for entry in entries or ())
        for pk, entries in there.filter(is_index=True).values_list("pk", "entries")
    }
    held: dict[int, list[Held]] = defaultdict(list)
    for pk, repository, digest, media_type, artifact_type, subject, layer_type, *_ in rows:
        known = tags[repository, digest]
        held[repository].append(
            Held(digest, media_type, artifact_type, subject, known, layer_type or "", parts.get(pk, ()))
        )
    found = {repository: places(manifests) for repository, manifests in held.items()}
    changed = []
    for pk, repository, digest, *_, role, part_of in rows:
        place = found[repository][digest]
        now = (place.role.value if place.role else "", place.part_of)
        if now != (role, part_of):
            changed.append((*now, pk))
    update_rows(Image, ("role", "part_of"), changed)
    return len(changed)
