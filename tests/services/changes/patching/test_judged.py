"""What the verdict of a plan is told of an image: its own settings beside those that the result will have."""

from typing import Any

import pytest

from functions_app.domain.rebase.safety.findings import Level
from functions_app.services.changes.patching import plan as patching
from functions_app.services.people.actor import Actor
from sandbox.images.elf import Elf, elf_bytes
from sandbox.images.making import Image
from tests.conftest import Valkey
from tests.fixtures import Sandbox
from tests.image_kinds.recast import with_config
from tests.sandbox.functions import Functions
from tests.services.changes.patching.patch_stage import app, base, make_patch_stage
from tests.services.changes.stage import carry_out

pytestmark = pytest.mark.django_db(transaction=True)
LIBRARY = {"opt/basis/libship.so.2": elf_bytes(Elf(soname="libship.so.2"))}
NATIVE = {"var/task/native.so": elf_bytes(Elf(soname="native.so", needed={"libship.so.2": []}))}


def searched(number: int) -> Image:
    """A base whose first release alone has its libraries looked for in /opt/basis, where each has them."""
    built = base(number, **LIBRARY)
    settings: dict[str, Any] = built.document["config"]
    where = ["LD_LIBRARY_PATH=/opt/basis"] if number == 1 else []
    return with_config(built, config={**settings, "Env": [*settings["Env"], *where]})


def test_a_library_that_was_found_by_a_variable_which_the_new_base_takes_away_is_missing(
    functions: Functions, aws: Sandbox, operator: Actor, valkey: Valkey
) -> None:
    stage = make_patch_stage(functions, aws, operator, app(searched(1), NATIVE), releases=searched)
    if run := patching.reading_first(stage.function, "", stage.actor):
        carry_out(run)
    plan = patching.plan(stage.function, stage.actor).plan
    assert plan.verdict.level == Level.UNSAFE
    assert [finding.code for finding in plan.verdict.findings] == ["library-missing"]
