"""The registries Drydock reads: which hosts may be named, and whose login each is opened with."""

import re
from fnmatch import fnmatchcase
from functools import partial
from urllib.parse import urlsplit

from django.conf import settings

from functions_app.aws import ecr
from functions_app.aws.session import Target
from functions_app.domain.ecr_hosts import ecr_host, meant_host
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.registry_login import Login
from functions_app.models import Account
from functions_app.registry import auth_file
from functions_app.registry.addresses import Reach
from functions_app.registry.auth import Credentials
from functions_app.registry.client import DOCKER_HUB, Registry, mirror_of
from functions_app.services.people import accounts

PUBLIC_HOSTS = DOCKER_HUB | {
    "public.ecr.aws",
    "ecr-public.aws.com",
    "ghcr.io",
    "quay.io",
    "mcr.microsoft.com",
    "registry.gitlab.com",
}
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?")


def allowed_host(host: str) -> None:
    """Whether a stream may name this registry. Raises INVALID for no host at all, DENIED for one nobody allowed.

    Allowed are the well-known public registries, ECR, and what the operator named: DRYDOCK_REGISTRY_HOSTS (patterns
    such as `*.example.com`), DRYDOCK_REGISTRY_MIRRORS, and the hosts in DRYDOCK_REGISTRY_AUTH_FILE.
    """
    name = host.lower()
    if _HOST.fullmatch(name) is None:
        raise DrydockError(Code.INVALID, f"{host[:100]!r} is not a registry's host name.")
    if _well_known(name) or _named_by_operator(name):
        return
    if meant := meant_host(name):
        raise DrydockError(
            Code.INVALID,
            f"{name} is no host of an ECR registry.",
            next_step=f"ECR's registry there is {meant}, with its account's 12 digits in front.",
        )
    raise DrydockError(
        Code.DENIED,
        f"Drydock may not ask the registry {name}: nobody has allowed it.",
        next_step=f"Add it to DRYDOCK_REGISTRY_HOSTS ({name}), which lists the registries beside the public ones.",
    )


def open_registry(host: str, *, target: Target | None = None) -> Registry:
    """The registry of this host, with the login there is for it; reads rows, so not from a pool's threads.

    `target`: whose ECR login to use, where AWS itself told the host; else that of the account whose registry it is,
    or, where Drydock does not look after that one, of one that it does: the repository's policy may permit it.
    Raises what `allowed_host` does, and DrydockError when the login cannot be had.
    """
    if target is None:
        allowed_host(host)
    name = "docker.io" if host.lower() in DOCKER_HUB else host.lower()
    reach = Reach.PRIVATE if _named_by_operator(name) else None
    return Registry.open(name, _credentials(name, target), reach=reach)


def _named_by_operator(name: str) -> bool:
    environment = settings.ENV
    if mirror_of(name, environment.registry_mirrors) or any(fnmatchcase(name, p) for p in environment.registry_hosts):
        return True
    # A login of a well-known registry makes it nobody's own; and AWS is read however broken that file may be.
    if _well_known(name) or not environment.registry_auth_file:
        return False
    return name in auth_file.hosts(environment.registry_auth_file)


def _well_known(name: str) -> bool:
    return name in PUBLIC_HOSTS or ecr_host(name) is not None


def _credentials(name: str, target: Target | None) -> Credentials | None:
    if found := target or _known_target(name):
        ecr.login(found)  # now: who has no permission is told before the first image
        return partial(_ecr_login, found)
    environment = settings.ENV
    # A mirror is somebody else: it gets the login that the file has for it, never the one of the host it stands for.
    # Only ECR's is sent to ECR's mirror (above): who runs Drydock put it there to stand for AWS itself.
    mirror = mirror_of(name, environment.registry_mirrors)
    asked = urlsplit(mirror).netloc.rpartition("@")[2] if mirror else name
    return auth_file.login_for(environment.registry_auth_file, asked) if environment.registry_auth_file else None


def _ecr_login(target: Target, refused: Login | None = None) -> Login:
    return ecr.login(target, refused=refused)


def _known_target(name: str) -> Target | None:
    host = ecr_host(name)
    if host is None:
        return None
    enabled = Account.objects.filter(enabled=True).order_by("pk")
    account = enabled.filter(account_id=host.account).first() or enabled.first()
    return accounts.target(account, host.region) if account else None
