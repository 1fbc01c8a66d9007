"""What stands between a patch and $LATEST: what is published is what $LATEST is, which may not be what is live."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions_app.aws import lambda_configurations
from functions_app.aws.lambda_comparisons import VersionsRead
from functions_app.aws.session import Target
from functions_app.domain.changes.configurations import Comparison, Difference
from functions_app.domain.changes.patching.latest_kept import LatestKept, kept_checks, own_check, rows
from functions_app.domain.fleet.functions import LATEST, FunctionDetail
from functions_app.domain.images.lambda_rules import Check
from functions_app.models import Alias, Function
from functions_app.services.changes import running


@dataclass(frozen=True)
class Latest:
    """$LATEST beside what is live: what differs, what forbids the patch, and, where it is left as it was, how.

    `shipped`: what a new version would be published with; `comparisons`: how that differs from each live version.
    """

    checks: tuple[Check, ...]
    differs: tuple[Difference, ...]
    shipped: FunctionDetail
    comparisons: dict[str, Comparison]
    kept: LatestKept | None = None


def beside(
    function: Function, own: Target, versions: VersionsRead, digest: str, aliases: Sequence[str], *, keep: bool
) -> Latest:
    """Compare $LATEST with the versions that were read and whose image `digest`, which `aliases` run, is to be patched.

    `keep`: it is to be left as it was, where it differs.
    """
    latest = versions.details[""]
    comparisons = {number: one for number, one in versions.comparisons.items() if number != LATEST}
    settings = [row for one in comparisons.values() for row in one.differences]
    differs = rows(digest, latest.fact.latest.digest, settings)
    unread = tuple(dict.fromkeys(text for one in comparisons.values() for text in one.unread))
    if not keep or not (differs or unread) or not comparisons:
        differing = [*dict.fromkeys(row.name for row in settings), *unread]
        check = own_check(latest.fact.latest.digest, digest, differing, aliases)
        return Latest((check,), differs, latest, comparisons)
    return _kept(function, own, versions, list(comparisons), differs)


def _kept(
    function: Function, own: Target, versions: VersionsRead, live: Sequence[str], differs: tuple[Difference, ...]
) -> Latest:
    latest = versions.details[""]
    settable = lambda_configurations.settable(own, function.name, live)
    image = running.image_behind(own, latest)
    by_alias = Alias.objects.filter(function=function, version=LATEST).order_by("name").values_list("name", flat=True)
    return Latest(
        kept_checks(latest, live, settable, image),
        differs,
        versions.details[live[0]],
        {number: Comparison(number, same_hash=True) for number in live},  # it is published as the live version is
        LatestKept(live[0], running.uri_of(latest), tuple(by_alias)),
    )
