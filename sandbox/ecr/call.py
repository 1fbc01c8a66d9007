"""One ECR call: its input, the repository it names, the policy that may forbid it, its pages.

moto asks no repository policy before it answers; AWS refuses what the policy does not allow.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ecr.exceptions import ImageNotFoundException, InvalidParameterException, RepositoryNotFoundException
from moto.ecr.models import ECRBackend, Repository, ecr_backends
from moto.ecr.responses import ECRResponse

from sandbox.core.paging import Page, page
from sandbox.ecr import errors
from sandbox.ecr.images import Holding, ImageId
from sandbox.ecr.repository_policies import Caller, verdict
from sandbox.iam import roles
from sandbox.iam.principals import principal
from sandbox.store.content_store import namespace
from sandbox.store.contents import StoredManifest

MAX_PAGE, DEFAULT_PAGE = 1000, 100


class EcrCall(ECRResponse):
    """What every ECR call needs: its input, the repository it names, the policy's consent, pages."""

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The call's input."""
        parameters: dict[str, Any] = json.loads(self.body or "{}")
        return parameters

    @property
    def registry_id(self) -> str:
        """The account whose registry is meant: the caller's unless registryId names another."""
        return str(self.parameters.get("registryId") or self.current_account)

    @property
    def ecr_backend(self) -> ECRBackend:
        """moto's settings of that registry."""
        return ecr_backends[self.registry_id][self.region]

    @property
    def repository(self) -> Repository:
        """The repository named in the call. Raises RepositoryNotFoundException."""
        name = self.parameters["repositoryName"]
        found = self.ecr_backend.repositories.get(name)
        if found is None:
            raise RepositoryNotFoundException(name, self.registry_id)
        return found

    @property
    def holding(self) -> Holding:
        """The named repository's contents. Raises RepositoryNotFoundException."""
        return Holding(self.registry_id, namespace(self.registry_id, self.region), self.repository.name)

    def call_action(self) -> TYPE_RESPONSE:
        """Ask the repository's policy first: a Deny binds its own account too, strangers need an Allow."""
        try:
            self._authorize(roles.permission("ecr", self._get_action()))
        except ServiceException as error:
            status, headers, body = self.serialized(ActionResult(error))
            return status, headers, body
        return super().call_action()

    def _authorize(self, action: str) -> None:
        name = self.parameters.get("repositoryName", "")
        repository = self.ecr_backend.repositories.get(name)
        own = self.registry_id == self.current_account
        if own and (repository is None or action.endswith("RepositoryPolicy")):
            # Whoever locked himself out can still take his policy back.
            return
        caller = Caller(self.current_account, principal(self.access_key).arn)
        resource = f"arn:aws:ecr:{self.region}:{self.registry_id}:repository/{name or '*'}"
        answer = verdict(repository.policy if repository else None, caller, action, resource)
        if answer == "deny" or (answer == "silent" and not own):
            raise errors.AccessDenied(caller.arn, action, resource, explicit=answer == "deny")

    def page_of(self, items: Sequence[Any], default: int = DEFAULT_PAGE, *, most: int = MAX_PAGE) -> Page[Any]:
        """The page that maxResults and nextToken ask for. Raises InvalidParameterException."""
        size = int(self.parameters.get("maxResults") or default)
        if not 1 <= size <= most:
            raise InvalidParameterException(
                "Invalid parameter at 'maxResults' failed to satisfy constraint: "
                f"'Member must have value between 1 and {most}'"
            )
        try:
            return page(items, self.parameters.get("nextToken"), size)
        except ValueError as error:
            raise InvalidParameterException(
                "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'"
            ) from error

    def image_by_id(self, image_id: ImageId) -> StoredManifest:
        """An image of the named repository. Raises ImageNotFoundException."""
        holding = self.holding
        found = holding.find(image_id)
        if found is None:
            digest, tag = image_id.get("imageDigest", "null"), image_id.get("imageTag", "null")
            named = f"{{imageDigest:'{digest}', imageTag:'{tag}'}}"
            raise ImageNotFoundException(named, holding.repository, holding.registry_id)
        return found
