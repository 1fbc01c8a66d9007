"""Image references as people and AWS write them: HOST/REPOSITORY[:TAG][@DIGEST]."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from functions_app.domain.ecr_hosts import ecr_host
from functions_app.domain.errors import Code, DrydockError

# The grammar of distribution/reference: https://github.com/distribution/reference
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?\.)*[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?::[0-9]{1,5})?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_REFERENCE = re.compile(rf"(?P<host>{_HOST})/(?P<repository>[^:@]+)(?::(?P<tag>[^@]*))?(?:@(?P<digest>.*))?")
_REPOSITORY_LIMIT = 256  # characters, as ECR's model has it (RepositoryName)


def is_digest(text: str) -> bool:
    """Whether this is a whole digest: sha256 or sha512 and all its hex digits, in lower case."""
    return _DIGEST.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether a registry would take this as a tag."""
    return _TAG.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    """Whether a registry would take this as a repository's name."""
    return len(text) <= _REPOSITORY_LIMIT and _REPOSITORY.fullmatch(text) is not None


@dataclass(frozen=True)
class ImageRef:
    """An image by tag, by digest, or both; with neither it names the repository."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> "ImageRef":
        """Read HOST/REPOSITORY[:TAG][@DIGEST]; the host is required. Raises DrydockError(INVALID)."""
        match = _REFERENCE.fullmatch(text.strip())
        host = match["host"] if match else ""
        if match is None or not _is_host(host):
            raise _invalid(text, "it must start with the registry's host name")
        if not is_repository(match["repository"]):
            raise _invalid(text, f"{match['repository'][:300]!r} is no repository name (lower case, digits, . _ - /)")
        if match["tag"] is not None and not is_tag(match["tag"]):
            raise _invalid(text, f"{match['tag'][:150]!r} is no tag (up to 128 letters, digits, . _ -)")
        if match["digest"] is not None and not is_digest(match["digest"]):
            raise _invalid(text, f"{match['digest'][:150]!r} is no digest (sha256: and 64 hex digits)")
        return cls(host, match["repository"], match["tag"] or "", match["digest"] or "")

    @property
    def reference(self) -> str:
        """What a registry is asked for: the digest where there is one, else the tag (may be empty)."""
        return self.digest or self.tag

    @property
    def name(self) -> str:
        """HOST/REPOSITORY."""
        return f"{self.registry}/{self.repository}"

    @property
    def canonical(self) -> "ImageRef":
        """The same image by the plain host of its registry, as AWS names repositories and Lambda is told images."""
        known = ecr_host(self.registry)
        return replace(self, registry=known.plain) if known else self

    @property
    def deployed_tag(self) -> str:
        """The tag that Lambda resolved when it was given this; "" where it was given a digest.

        Without either it takes `latest`, as docker does.
        """
        return "" if self.digest else self.tag or "latest"

    def with_digest(self, digest: str) -> "ImageRef":
        """The same repository by digest alone, as Lambda should be given it."""
        return replace(self, tag="", digest=digest)

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


@lru_cache(maxsize=4096)  # asked for each version of a fleet
def repository_of(image_uri: str) -> str:
    """HOST/NAME of an image's URI as ECR names the repository; '' for what is no image's URI."""
    try:
        return ImageRef.parse(image_uri).canonical.name
    except DrydockError:
        return ""


def _is_host(text: str) -> bool:
    # Docker's own rule for telling a host from the first part of a repository's name.
    return "." in text or ":" in text or text == "localhost"


def _invalid(text: str, why: str) -> DrydockError:
    return DrydockError(
        Code.INVALID,
        f"{text[:200]!r} is not an image reference: {why}.",
        next_step="Write HOST/REPOSITORY:TAG or HOST/REPOSITORY@sha256:DIGEST.",
    )
