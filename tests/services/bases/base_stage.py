"""A company's base in the sandbox's public name space, and its stream, for the tests of polls."""

from datetime import datetime
from typing import Any

from functions_app.models import BaseStream
from functions_app.services.bases import polls
from sandbox.images.making import Image, Index
from tests.fixtures import Sandbox, registry_client
from tests.publishing import LOGIN, NOW, publish, unique_repository
from tests.services.sync.sync_stage import Lines


class Company:
    """A public repository, and a stream of people's on one of its tags."""

    def __init__(self, aws: Sandbox, tag: str = "stable", **values: Any) -> None:
        self.aws, self.repository, self.tag = aws, unique_repository(), tag
        reference = f"public.ecr.aws/{self.repository}:{tag}"
        self.stream = BaseStream.objects.create(name=self.repository, reference=reference, **{"own": True, **values})

    def publish(self, image: Image | Index, *tags: str) -> str:
        """Push to the moving tag and these."""
        return publish(self.aws, self.repository, image, [*tags, self.tag])

    def publish_only(self, image: Image | Index, *tags: str) -> str:
        """Push to these tags alone."""
        return publish(self.aws, self.repository, image, tags)

    def delete(self, reference: str) -> None:
        """Delete a manifest with its tags."""
        with registry_client(self.aws.url, LOGIN) as registry:
            registry.delete(f"/v2/{self.repository}/manifests/{reference}").raise_for_status()

    def poll(self, now: datetime = NOW) -> list[str]:
        """Poll this stream and give the log."""
        log = Lines()
        polls.poll(now, log, [self.stream.pk])
        self.stream.refresh_from_db()
        return log.lines

    def releases(self) -> dict[str, tuple[str, bool]]:
        """Platform and tag of each release by its digest, the first of each."""
        return {row.manifest_digest: (row.tag, row.current) for row in self.stream.releases.all()}
