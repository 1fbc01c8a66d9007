"""The functions that could run an image: those that are deployed from its repository first."""

from dataclasses import dataclass

from functions_app.domain.images.fitting import Offered, lambda_architectures, why_not
from functions_app.domain.images.statuses import NOT_PULLABLE, read_status
from functions_app.models import Function, Image, Version

SHOWN = 50  # of each group


@dataclass(frozen=True)
class Target:
    """A function that the image could be deployed to."""

    pk: int
    name: str
    account: str
    colour: str
    owner: str
    runs_it: bool  # $LATEST does


@dataclass(frozen=True)
class DeployTo:
    """`own` are deployed from the image's repository, `others` are not; `refused`: why no function can run it."""

    own: tuple[Target, ...]
    others: tuple[Target, ...]
    refused: str


def deploy_to(image: Image, search: str = "") -> DeployTo:
    """The functions of the image's region that could run it, by name; `search` narrows them. Two queries."""
    architectures = lambda_architectures(image.architecture)
    offered = Offered(image.os, image.architecture, image.is_index, image.platforms)
    refused = _not_pulled(image) or why_not(offered, architectures[0])
    if refused:
        return DeployTo((), (), refused)
    fits = Function.objects.filter(
        gone_at=None, region=image.repository.region, architecture__in=architectures, name__icontains=search
    )
    from_it = Version.objects.filter(image__repository=image.repository_id).values("function_id")
    rows = fits.order_by("name", "account__name").values_list(
        "pk", "name", "account__name", "account__colour", "owner", "digest"
    )
    own, others = (
        tuple(Target(*row[:-1], row[-1] == image.digest) for row in some[:SHOWN])
        for some in (rows.filter(pk__in=from_it), rows.exclude(pk__in=from_it))
    )
    return DeployTo(own, others, "")


def _not_pulled(image: Image) -> str:
    """Why nobody can pull it; '' where they can, as far as is known."""
    if image.gone_at:
        return "no longer in ECR"
    return read_status(image.status).state.removeprefix("is ") if image.status in NOT_PULLABLE else ""
