"""Read one function anew, now: before and after a change of it."""

from django.db.models import Q

from functions_app.domain.errors import DrydockError
from functions_app.domain.images.statuses import NOT_PULLABLE
from functions_app.domain.refs import repository_of
from functions_app.models import Function, Image, Repository, Run
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.snapshot.scope_reading import ScopeRead
from functions_app.services.sync.functions import read_one
from functions_app.services.sync.images import read_repository
from functions_app.services.sync.scopes import opened
from functions_app.services.sync.version_images import link_versions

# Of these no reading tells more: they were read, could not be, are gone, or ECR does not give them.
KNOWN = (
    Q(image__inspected_at__isnull=False)
    | Q(image__inspect_problem__isnull=False)
    | Q(image__gone_at__isnull=False)
    | Q(image__status__in=NOT_PULLABLE)
)


def refresh_function(function: Function, run: Run | None = None) -> Function:
    """Read one function with its versions and aliases now and bring its row up to date; `run` is who moved aliases.

    Raises DrydockError; NOT_FOUND where the function is gone, which its row then says.
    """
    scope = opened(function.account, function.region, True)
    read_one(function, scope, run)
    link_versions(scope, function_id=function.pk)
    _read_pushed_since(function.pk, scope)
    _judge_without_base(function.pk, scope)
    refresh_summaries([function.pk])
    return Function.objects.get(pk=function.pk)


def _read_pushed_since(function_id: int, scope: ScopeRead) -> None:
    """What $LATEST runs may have been pushed after the last sync, or before a sync that is at it: then its repository
    is read.
    """
    row = Function.objects.get(pk=function_id)
    if row.versions.filter(KNOWN, ordinal=0, image__isnull=False).exists():
        return
    own = Repository.objects.filter(account=row.account, region=row.region, gone_at=None)
    repository = own.filter(uri=repository_of(row.image_uri)).first()
    if repository is None:
        return
    try:
        read_repository(scope, repository)
    except DrydockError as error:
        scope.fail(error)  # ECR may be closed to us: the function's own facts are stored all the same
        return
    link_versions(scope, function_id=function_id)


def _judge_without_base(function_id: int, scope: ScopeRead) -> None:
    """What was read just now, here or by a sync that judges at its end, tells its base on the pages at once."""
    without = Image.objects.filter(versions__function=function_id, base_stream=None).values_list("pk", flat=True)
    if unjudged := {*scope.images, *without}:
        judge_images(unjudged, refresh=False)
