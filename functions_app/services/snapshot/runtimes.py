"""Which runtime an image brings: what the streams of its base's lineage say, the nearest first."""

from collections.abc import Collection, Mapping
from functools import cached_property

from functions_app.domain.bases.runtimes import runtime_name
from functions_app.models import BaseStream, Image
from functions_app.services.snapshot.base_use_rows import Lineages


class Runtimes:
    """Looked up in the lineages that summaries read anyhow; the streams once."""

    def __init__(self, lineages: Lineages) -> None:
        self._lineages = lineages

    @cached_property
    def _of_stream(self) -> Mapping[int, str]:
        rows = BaseStream.objects.exclude(runtime="").order_by().values_list("pk", "runtime", "runtime_version")
        return {pk: runtime_name(runtime, version) for pk, runtime, version in rows}

    def of(self, images: Collection[Image]) -> Mapping[int, str]:
        """By image the runtime, "" where its base tells none. Three queries at most, the first time."""
        known = self._lineages.of({image.base_release_id for image in images if image.base_release_id})
        found = {}
        for image in images:
            levels = [release.stream_id for release in known.get(image.base_release_id or 0, ())]
            streams = levels or [image.base_stream_id or 0]
            found[image.pk] = next((name for pk in streams if (name := self._of_stream.get(pk, ""))), "")
        return found
