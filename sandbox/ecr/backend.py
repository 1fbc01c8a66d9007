"""ECR's backend: moto keeps the repositories' settings, the store keeps what is in them.

moto keeps images in a list of its own and forgets an image when its only tag moves; AWS keeps it, untagged.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from moto.ecr.models import ECRBackend, Repository, ecr_backends

from sandbox.ecr import lifecycle_policies
from sandbox.ecr.repository_policies import PULL_ACTIONS, Caller, allows_all
from sandbox.store.content_store import STORE, namespace


class EcrBackend(ECRBackend):
    """Repositories whose images live in the store."""

    def create_repository(self, repository_name: str, *args: Any, **kwargs: Any) -> Repository:
        """As moto does, and make room in the store."""
        created = super().create_repository(repository_name, *args, **kwargs)
        _make_room(self.account_id, self.region_name, created)
        return created

    def delete_repository(
        self, repository_name: str, registry_id: str | None = None, force: bool = False
    ) -> Repository:
        """As moto does, with the contents. Raises RepositoryNotEmptyException unless forced."""
        repository = self._get_repository(repository_name, registry_id)
        space = namespace(self.account_id, self.region_name)
        # moto refuses by its own list of images, which the store replaces.
        repository.images = [*STORE.contents(space, repository_name).manifests]  # type: ignore[list-item]
        deleted = super().delete_repository(repository_name, registry_id, force)
        STORE.delete(space, repository_name)
        return deleted

    def put_lifecycle_policy(
        self, registry_id: str, repository_name: str, lifecycle_policy_text: str
    ) -> dict[str, Any]:
        """As moto does, with AWS's checks. Raises RepositoryNotFoundException, InvalidParameterException."""
        repository = self._get_repository(repository_name, registry_id)
        lifecycle_policies.validate(lifecycle_policy_text)
        repository.lifecycle_policy = lifecycle_policy_text
        return {
            "registryId": repository.registry_id,
            "repositoryName": repository_name,
            "lifecyclePolicyText": lifecycle_policy_text,
        }


def _make_room(account_id: str, region: str, repository: Repository) -> None:
    contents = STORE.create(namespace(account_id, region), repository.name)
    contents.is_immutable = lambda tag: tag_is_immutable(repository, tag)


def adopt(account_id: str, region: str, repository: Repository) -> None:
    """Put a repository in place that another process made; what it holds may be in the store already."""
    ecr_backends[account_id][region].repositories[repository.name] = repository
    _make_room(account_id, region, repository)


def tag_is_immutable(repository: Repository, tag: str) -> bool:
    """Whether a tag, once set, cannot be moved (exclusion filters turn the repository's setting round)."""
    setting = str(getattr(repository.image_tag_mutability, "value", repository.image_tag_mutability))
    filters = repository.image_tag_mutability_exclusion_filters or []
    excluded = any(fnmatchcase(tag, each["filter"]) for each in filters)
    return setting.startswith("IMMUTABLE") != excluded


def find_repository(account_id: str, region: str, name: str) -> Repository | None:
    """A repository's settings, or None."""
    found: Repository | None = ecr_backends[account_id][region].repositories.get(name)
    return found


def create_repository(
    account_id: str,
    region: str,
    name: str,
    *,
    immutable: bool = False,
    scan_on_push: bool = False,
    tags: Sequence[dict[str, str]] = (),
) -> None:
    """Create a repository in-process, as a fleet's seed does. Raises moto's RepositoryAlreadyExistsException."""
    ecr_backends[account_id][region].create_repository(
        repository_name=name,
        registry_id=None,
        encryption_config={},
        image_scan_config={"scanOnPush": scan_on_push},
        image_tag_mutability="IMMUTABLE" if immutable else "MUTABLE",
        tags=list(tags),
    )


def pull_allowed(
    account_id: str,
    region: str,
    repository: str,
    caller_account_id: str,
    principal: str | None = "lambda.amazonaws.com",
    function: str = "any",
) -> bool:
    """Whether an account, and the service that pulls for it, may pull from a repository; False when it is missing.

    In the repository's own account everything is allowed that its policy does not deny. From another account both
    the account and the service must be granted BatchGetImage and GetDownloadUrlForLayer
    (https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-permissions).
    Pass principal=None to ask for the account alone.
    """
    found = find_repository(account_id, region, repository)
    if found is None:
        return False
    own = account_id == caller_account_id
    callers = [Caller(caller_account_id)]
    resource = f"arn:aws:ecr:{region}:{account_id}:repository/{repository}"
    if principal:
        source = f"arn:aws:lambda:{region}:{caller_account_id}:function:{function}"
        callers.append(Caller(caller_account_id, service=principal, source_arn=source))
    return all(allows_all(found.policy, caller, PULL_ACTIONS, own_account=own, resource=resource) for caller in callers)
