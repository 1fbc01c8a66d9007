"""Read one function anew, now: before and after a change of it."""

from functions_app.domain.errors import DrydockError
from functions_app.domain.refs import repository_of
from functions_app.models import Function, Repository, Run
from functions_app.services.bases.verdicts import judge_images
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.snapshot.scope_reading import ScopeRead
from functions_app.services.sync.functions import read_one
from functions_app.services.sync.images import read_repository
from functions_app.services.sync.scopes import opened
from functions_app.services.sync.version_images import link_versions


def refresh_function(function: Function, run: Run | None = None) -> Function:
    """Read one function with its versions and aliases now and bring its row up to date; `run` is who moved aliases.

    Raises DrydockError; NOT_FOUND where the function is gone, which its row then says.
    """
    scope = opened(function.account, function.region, True)
    read_one(function, scope, run)
    link_versions(scope, function_id=function.pk)
    _read_pushed_since(function.pk, scope)
    refresh_summaries([function.pk])
    return Function.objects.get(pk=function.pk)


def _read_pushed_since(function_id: int, scope: ScopeRead) -> None:
    """What $LATEST runs may have been pushed after the last sync: then its repository is read."""
    row = Function.objects.get(pk=function_id)
    if row.versions.filter(ordinal=0, image__isnull=False).exists():
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
    judge_images(sorted(scope.images), refresh=False)
