"""Who may do what at /v2: ECR's Basic tokens, its repository policies, and anonymous reading of public images."""

from __future__ import annotations

import re
from dataclasses import dataclass

from werkzeug.wrappers import Request

from sandbox.core.limits import DENIALS
from sandbox.ecr import backend
from sandbox.ecr.repository_policies import Caller, verdict
from sandbox.iam import roles
from sandbox.registry.errors import RegistryError
from sandbox.store import tokens
from sandbox.store.content_store import PUBLIC, STORE, namespace

PUBLIC_USER, PUBLIC_PASSWORD = "public", "sandbox"
"""Credentials that may push to the public name space, so that tests can publish base images."""

_PRIVATE_HOST = re.compile(r"(\d{12})\.dkr\.ecr\.([\w-]+)\.amazonaws\.com(:\d+)?")


@dataclass(frozen=True)
class Access:
    """The name space a request addresses, and on whose behalf."""

    namespace: str
    account: str
    region: str
    caller_account: str
    caller_arn: str
    writable: bool

    @property
    def is_public(self) -> bool:
        """Whether this is public.ecr.aws."""
        return self.namespace == PUBLIC

    def check(self, repository: str, action: str) -> None:
        """Raise RegistryError unless the ECR action ("BatchGetImage") is allowed and the repository is there."""
        if self.is_public:
            self._check_public(repository, action)
            return
        resource = f"arn:aws:ecr:{self.region}:{self.account}:repository/{repository}"
        if DENIALS.denies(self.caller_account, "ecr", action):
            reason = f"because no identity-based policy allows the ecr:{action} action"
            raise self._denied(action, resource, reason)
        if text := roles.refusal(self.caller_arn, self.region, "ecr", action, lambda: resource):
            raise RegistryError(403, "DENIED", text)
        found = backend.find_repository(self.account, self.region, repository)
        own = self.account == self.caller_account
        caller = Caller(self.caller_account, self.caller_arn)
        answer = verdict(found.policy if found else None, caller, f"ecr:{action}", resource)
        if answer == "deny":
            raise self._denied(action, resource, "with an explicit deny in a resource-based policy")
        if answer == "silent" and not own:
            raise self._denied(action, resource, f"because no resource-based policy allows the ecr:{action} action")
        if found is None:
            raise RegistryError(
                404,
                "NAME_UNKNOWN",
                f"The repository with name '{repository}' does not exist in the registry with id '{self.account}'",
            )

    def _check_public(self, repository: str, action: str) -> None:
        if action in WRITES and not self.writable:
            raise not_authorized()
        if action in WRITES or STORE.has_repository(PUBLIC, repository):
            return
        # A reader is not told what there is; the publisher is, or it could not push something new.
        raise RegistryError(404, "NAME_UNKNOWN", f"no repository {repository}") if self.writable else not_authorized()

    def _denied(self, action: str, resource: str, reason: str) -> RegistryError:
        text = f"User: {self.caller_arn} is not authorized to perform: ecr:{action} on resource: {resource} {reason}"
        return RegistryError(403, "DENIED", text)


WRITES = frozenset({"PutImage", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "BatchDeleteImage"})


def not_authorized() -> RegistryError:
    """401 with the challenge that makes a client send its credentials."""
    return RegistryError(401, "UNAUTHORIZED", "Not Authorized", challenge=True)


def access(request: Request) -> Access:
    """Read a request's credentials: none, or empty ones, address the public name space for reading.

    Raises RegistryError 401 for a token that ECR did not give, 403 for one that has expired.
    """
    given = request.authorization
    user = (given.username or "") if given else ""
    password = (given.password or "") if given else ""
    if (user, password) == (PUBLIC_USER, PUBLIC_PASSWORD):
        return Access(PUBLIC, PUBLIC, "", PUBLIC, "", writable=True)
    if given is None or (given.type == "basic" and not password):
        return Access(PUBLIC, PUBLIC, "", PUBLIC, "", writable=False)
    if user != "AWS":
        raise not_authorized()
    try:
        registry = tokens.read(password)
    except tokens.ExpiredToken as error:
        raise RegistryError(403, "DENIED", str(error)) from error
    except tokens.InvalidToken as error:
        raise not_authorized() from error
    host = _PRIVATE_HOST.fullmatch(request.host)
    account, region = (host[1], host[2]) if host else (registry.account, registry.region)
    space = namespace(account, region)
    return Access(space, account, region, registry.caller_account, registry.caller_arn, writable=True)
