"""DRYDOCK_DEBUG: what the page of an error shows to whoever develops, and what it does not."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import dj_database_url
import pytest
from django.conf import settings as django_settings
from django.test import RequestFactory
from django.views.debug import technical_500_response
from pytest_django.fixtures import Settings

from dashboard.env import Environment, read

SECRETS = ["dbpass1", "redispass2", "mirrorpass3", "hooktoken4hook", "keykey5key", "typedpass6", "cookie7", "headpass8"]
TYPED, TOKEN, KEY = "typedpass6", "hooktoken4" * 3, "keykey5" * 8
HEADERS = {"Cookie": "sessionid=cookie7", "Authorization": "Bearer headpass8"}
DATABASE, REDIS = "postgres://drydock:dbpass1@db:5432/drydock", "redis://:redispass2@redis:6379/0"


@pytest.fixture
def environment(tmp_path: Path, settings: Settings) -> Environment:
    """An installation whose every address has a login."""
    found = read(
        {
            "DRYDOCK_DATA_DIR": str(tmp_path),
            "DATABASE_URL": DATABASE,
            "REDIS_URL": REDIS,
            "DRYDOCK_SECRET_KEY": KEY,
            "DRYDOCK_HOOK_TOKEN": TOKEN,
            "DRYDOCK_REGISTRY_MIRRORS": "public.ecr.aws=https://robot:mirrorpass3@mirror.example",
        }
    )
    settings.ENV = dataclasses.replace(
        django_settings.ENV,
        database_url=found.database_url,
        redis_url=found.redis_url,
        registry_mirrors=found.registry_mirrors,
    )
    settings.SECRET_KEY, settings.CELERY_BROKER_URL = found.secret_key, found.redis_url
    settings.CACHES = {**django_settings.CACHES, "other": {"LOCATION": [found.redis_url]}}
    settings.SOME_DATABASES = {"default": dj_database_url.parse(found.database_url), "again": (found.database_url,)}
    settings.DEBUG = True
    return found


def broken_page(environment: Environment, accept: str) -> str:
    """What is shown when a view fails amid all of that."""
    form = {"username": "vera", "password": TYPED, "next": REDIS}
    request = RequestFactory().post(
        f"/login/?token={TOKEN}&next={REDIS}",
        form,
        headers={"Accept": accept, **HEADERS},
    )

    def view(address: str, password: str, **facts: Any) -> None:
        options = {"url": address, "nested": [{"password": password}], "environment": environment, "ordinary": 4711}
        raise ValueError(f"could not reach {address} with {len(options)} options") from OSError(f"refused: {address}")

    try:
        view(DATABASE, TYPED, mirrors=environment.registry_mirrors, posted=request.POST)
    except ValueError:
        return technical_500_response(request, *sys.exc_info()).content.decode()
    raise AssertionError("it does not fail")


@pytest.mark.parametrize("accept", ["text/html", "text/plain"])
def test_no_login_and_no_secret_is_on_the_page_and_the_cause_is(environment: Environment, accept: str) -> None:
    shown = broken_page(environment, accept)
    assert [secret for secret in SECRETS if secret in shown] == []
    assert "could not reach postgres://" in shown
    assert "ValueError" in shown
    if accept == "text/html":
        assert "4711" in shown


def test_the_environment_in_an_error_or_a_log_shows_no_login(environment: Environment) -> None:
    assert [secret for secret in SECRETS if secret in repr(environment)] == []
