"""A clock that was ahead while AWS was read: what is read once it is right is kept, though it seems to be older."""

import pytest
from pytest_django.fixtures import Settings

from functions_app import clock
from functions_app.models import Account, Alias, Function, Repository, Version
from functions_app.services.sync.refresh import refresh_function
from tests.sandbox.functions import Functions
from tests.services.engine.engine_stage import ahead
from tests.services.sync.sync_stage import Lines, run_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["a sync", "a refresh"])
def read_again(request: pytest.FixtureRequest, log: Lines) -> object:
    """Each way to read a function."""
    return (lambda: run_once(log)) if request.param == "a sync" else (lambda: refresh_function(Function.objects.get()))


@pytest.mark.parametrize("hours", [1, 24])
def test_what_is_read_then_is_shown(
    hours: int, ours: Account, functions: Functions, log: Lines, settings: Settings, read_again: object
) -> None:
    functions.deploy()
    first, second = functions.publish(), functions.next_version()
    functions.api.create_alias(FunctionName="app", Name="prod", FunctionVersion=first)
    ahead(settings, hours=hours)
    run_once(log)

    ahead(settings, hours=-hours)
    functions.api.update_alias(FunctionName="app", Name="prod", FunctionVersion=second)
    functions.api.update_function_configuration(FunctionName="app", MemorySize=1024)
    assert callable(read_again)
    read_again()

    function = Function.objects.get()
    assert Alias.objects.get().version == second
    assert function.memory_mb == 1024
    times = [function.synced_at, function.detailed_at, function.aliases_synced_at]
    times += Version.objects.filter(number=second).values_list("detailed_at", flat=True)
    assert max(at for at in times if at) <= clock.now()


def test_a_repository_is_read_again(ours: Account, functions: Functions, log: Lines, settings: Settings) -> None:
    functions.deploy()
    ahead(settings, hours=1)
    run_once(log)

    ahead(settings, hours=-1)
    run_once(log)

    read_at = Repository.objects.get().images_synced_at
    assert read_at is not None
    assert read_at <= clock.now()
