"""Each verb of the command line, asked of a real server over the sandbox."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from functions_app import clock, runlog
from functions_app.domain.changes.approvals import Approval
from functions_app.domain.runs import Kind, Status
from functions_app.models import Run
from functions_app.services.people.actor import Actor
from tests.cli.calling import Caller
from tests.cli.site import working
from tests.conftest import Valkey
from tests.factories import make_account, make_alias, make_function, make_image, make_repository, make_version
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.patching.patch_stage import make_patch_stage
from tests.services.changes.stage import Stage, make_stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(functions: Functions, operator: User, aws: Sandbox, valkey: Valkey) -> Stage:
    """The function `app` with an image more than it runs."""
    stage = make_stage(functions, Actor(operator))
    stage.push("two", "2")
    return stage


def in_production(stage: Stage, approval: Approval) -> None:
    """The function gets an alias with production traffic."""
    stage.api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    stage.sync()
    stage.account.approval = approval
    stage.account.save()


class Test_looking:
    def test_lists_functions_by_words_and_filters(self, drydock: Caller) -> None:
        account = make_account("prod")
        make_function(account, "billing-api", freshness="stale", base_name="python:3.12")
        make_function(account, "billing-web", freshness="current")
        make_function(make_account(), "orders")

        assert drydock("list", "billing").out.splitlines()[-1].startswith("2 functions, 1 stale, as of ")
        assert (
            drydock("list", "--filter", "account=prod", "--filter", "freshness=current").out.split()[0] == "billing-web"
        )
        told = drydock("stale").out.splitlines()
        assert told[0] == "billing-api  prod  eu-west-1  stale  python:3.12"
        assert told[1].startswith("1 function, 1 stale")

    def test_is_refused_a_filter_that_nobody_knows(self, drydock: Caller) -> None:
        assert drydock("list", "--filter", "colour=red").code == 2
        assert drydock("list", "--filter", "red").code == 2

    def test_goes_on_with_a_cursor(self, drydock: Caller) -> None:
        account = make_account()
        for number in range(51):
            make_function(account, f"f-{number}")
        said = drydock("list")
        cursor = said.err.split()[-1]
        assert len(said.out.splitlines()) == 51
        assert len(drydock("list", "--cursor", cursor).out.splitlines()) == 2

    def test_shows_a_function_why_it_is_stale_and_what_differs(self, drydock: Caller) -> None:
        account = make_account()
        function = make_function(
            account, "app", freshness="stale", freshness_reason="2 releases behind.", base_name="python:3.12"
        )
        repository = make_repository(account)
        one, two = (make_image(repository, word, tags=[word]) for word in ("one", "two"))
        make_version(function, "$LATEST", two)
        make_version(function, 1, one, image_uri=f"{repository.uri}:one")
        make_alias(function, "live", 1)
        for number in range(2, 53):  # two pages
            make_version(function, number, two)

        show = drydock("show", "app")
        assert show.out.splitlines()[0].split() == ["live", "1", "100%", one.digest[7:19]]
        why = drydock("why", "app").out.splitlines()
        assert why[:3] == [
            "freshness         stale",
            "freshness reason  2 releases behind.",
            "base              python:3.12",
        ]
        diff = drydock("diff", "app:live").out.splitlines()[0]
        assert one.digest[7:19] in diff
        assert f"tag one  $LATEST is {two.digest[7:19]}  base unknown: " in diff

    def test_tells_of_runs_and_their_logs(self, drydock: Caller) -> None:
        run = Run.objects.create(kind=Kind.BASE_POLL, status=Status.QUEUED, title="Poll", created_at=clock.now())
        runlog.append_message(run.pk, "warning", "nobody answers")
        assert drydock("logs", str(run.pk)).out.endswith(" WARNING nobody answers\n")
        assert drydock("runs", "active").out.split()[:2] == [str(run.pk), "queued"]
        assert drydock("status", str(run.pk)).code == 0
        assert drydock("status").out.startswith("0 functions")
        assert drydock("runs", "odd").code == 2
        assert drydock("logs", "x").code == 2
        assert drydock("logs", "999").code == 3


class Test_changing:
    def test_deploys_with_the_log_and_says_how_it_ended(self, drydock: Caller, stage: Stage) -> None:
        with working():
            said = drydock("deploy", "app", "2", "staging", "--wait")
        assert said.code == 0, said
        assert len(said.out.splitlines()) > 3
        assert said.out.splitlines()[-1].startswith(f"Run {Run.objects.get().pk}: Succeeded")
        assert stage.digest("staging") == stage.digest("$LATEST")
        assert (Run.objects.get().actor_name, Run.objects.get().via) == ("olga", "token ci 0")

    def test_begins_and_leaves_the_rest_to_whoever_follows(self, drydock: Caller, stage: Stage) -> None:
        said = drydock("deploy", "app:staging", "2", "--json")
        run = Run.objects.get()
        assert (said.code, said.document["id"], run.status) == (0, run.pk, "queued")
        with working():
            assert drydock("logs", str(run.pk), "--wait").code == 0

    def test_with_one_key_is_done_once(self, drydock: Caller, stage: Stage) -> None:
        first, second = (drydock("deploy", "app", "2", "staging", "--key", "build-417") for _ in range(2))
        assert (first.code, first.out) == (0, second.out)
        assert Run.objects.count() == 1

    def test_of_production_waits_to_be_confirmed(self, drydock: Caller, stage: Stage) -> None:
        in_production(stage, Approval.NEVER)
        said = drydock("deploy", "app", "2", "live")
        assert (said.code, Run.objects.count()) == (5, 0)
        assert "confirm live" in said.out
        command = said.err.rstrip().partition("Apply it: drydock ")[2].split()
        assert drydock(command[0], command[1]).code in (2, 3)  # the name is not typed
        assert drydock(*command).code == 0
        assert Run.objects.count() == 1

    def test_of_production_may_be_confirmed_at_once(self, drydock: Caller, stage: Stage) -> None:
        in_production(stage, Approval.NEVER)
        assert drydock("deploy", "app", "2", "live", "--confirm", "live").code == 0

    def test_of_production_waits_for_an_approver(
        self, drydock: Caller, as_bot: Callable[..., Caller], approver: User, stage: Stage
    ) -> None:
        in_production(stage, Approval.BOTS)
        said = drydock("deploy", "app", "2", "live", "--confirm", "live", "--wait")
        assert (said.code, Run.objects.count()) == (5, 0)
        command = said.err.rstrip().partition("An approver agrees: drydock ")[2].split()
        assert drydock(*command).code == 3
        assert as_bot(person=approver)(*command).code == 0
        assert (Run.objects.get().actor_name, Run.objects.get().status) == ("anna", "queued")

    def test_may_be_planned_alone(self, drydock: Caller, stage: Stage) -> None:
        said = drydock("deploy", "app", "2", "staging", "--dry-run")
        assert (said.code, Run.objects.count()) == (0, 0)
        assert said.out.startswith("yes")

    def test_that_fails_is_an_exit_code(self, drydock: Caller, stage: Stage) -> None:
        run = drydock("deploy", "app", "2", "staging", "--json").document["id"]
        stage.api.delete_alias(FunctionName="app", Name="staging")
        with working():
            said = drydock("status", str(run), "--wait")
        assert said.code == 1
        assert said.out.splitlines()[-1].startswith(f"Run {run} failed")

    def test_that_is_refused_is_another(self, as_bot: Callable[..., Caller], viewer: User, stage: Stage) -> None:
        assert as_bot("read", "deploy:nonprod", person=viewer)("deploy", "app", "2", "staging").code == 3
        assert as_bot("read")("deploy", "app", "2", "staging").code == 3
        assert as_bot("read", "deploy:nonprod")("deploy", "app", "nowhere", "staging").code == 3
        assert Run.objects.count() == 0

    def test_rolls_back_and_tells_which_versions_there_are(self, drydock: Caller, stage: Stage) -> None:
        stage.deploy("2")
        said = drydock("rollback", "app", "staging")
        assert (said.code, said.out.split()[:2]) == (2, ["staging", "1"])
        with working():
            assert drydock("rollback", "app:staging", "1", "--wait").code == 0
            assert drydock("rollback", "app", "staging", "2", "--wait").code == 0
        assert stage.read_alias()[0] == "2"

    def test_invokes_once_and_gives_the_answer(self, drydock: Caller, stage: Stage) -> None:
        with working():
            said = drydock("invoke", "app:staging", '{"a": 1}', "--wait", "--json")
        assert (said.code, said.document["status"]) == (0, "succeeded")
        assert said.document["result"]["answer"]["payload"] == '"one"'
        with working():
            assert drydock("invoke", "app:staging", "--wait").out.splitlines()[-2] == '"one"'

    def test_ends_a_run(self, drydock: Caller, stage: Stage) -> None:
        run = drydock("deploy", "app", "2", "staging", "--json").document["id"]
        assert drydock("cancel", str(run), "the", "wrong", "one").code == 0
        with working():
            assert drydock("status", str(run), "--wait").code == 1
        assert Run.objects.get().status == "cancelled"


class Test_patching:
    def test_reads_the_files_that_it_needs_first_and_is_undone(
        self, drydock: Caller, functions: Functions, operator: User, aws: Sandbox, valkey: Valkey
    ) -> None:
        stage = make_patch_stage(functions, aws, Actor(operator))
        before = stage.digest("staging")
        with working():
            said = drydock("patch", "app", "staging", "--wait")
            assert said.code == 0, said
            assert "reads files that the verdict needs" in said.err
            assert stage.digest("staging") != before
            run = Run.objects.get(kind=Kind.PATCH)
            assert drydock("show", "app", "--json").document["last_patch"] == run.pk
            assert drydock("undo", "app", "--wait").code == 0
        assert drydock("undo", "app").code == 3
        assert drydock("undo", str(run.pk)).code == 3
        assert stage.digest("staging") == before
