"""What repairs a function that is broken or asleep: a test per reason code, and for the codes that nobody knows."""

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from functions_app.domain.fleet.repairs import (
    ONLY_ZIP,
    REPAIRS,
    Broken,
    Link,
    Place,
    broken_link,
    by_code,
    most_broken,
    repair_of,
)
from functions_app.domain.fleet.states import Condition

MODEL = ServiceModel(Loader().load_service_model("lambda", "service-2"), "lambda")
OF_IMAGE = [
    ("ImageDeleted", Place.DEPLOY, "Deploy another image"),
    ("ImageAccessDenied", Place.REPOSITORY, "Open the repository's permissions"),
    ("InvalidImage", Place.DEPLOY, "Deploy another image"),
]
TO_DEPLOY = [
    "InternalError",
    "DependencyError",
    *(code for code in REPAIRS if code.startswith("FunctionError")),
]
IN_AWS = [
    *("InvalidConfiguration", "InsufficientRolePermissions", "EniLimitExceeded", "SubnetOutOfIPAddresses"),
    *("InvalidSubnet", "InvalidSecurityGroup", "DisallowedByVpcEncryptionControl"),
    *("KMSKeyAccessDenied", "KMSKeyNotFound", "InvalidStateKMSKey", "DisabledKMSKey"),
    *("EFSIOError", "EFSMountConnectivityError", "EFSMountFailure", "EFSMountTimeout"),
    *("VcpuLimitExceeded", "CapacityProviderScalingLimitExceeded", "InsufficientCapacity", "EC2RequestLimitExceeded"),
    *("IncompatibleAcceleratorInstanceTypes", "ServiceQuotaExceededException"),
]
TO_WAIT_FOR = ["Creating", "Restoring", "DrainingDurableExecutions"]


def failed(code: str) -> Broken:
    """A version that is Failed for this reason."""
    return Broken(Condition("Failed", "AWS's sentence", code, "Successful"))


@pytest.mark.parametrize(("code", "place", "button"), OF_IMAGE)
@pytest.mark.parametrize("state", ["Failed", "Inactive"])
def test_what_is_wrong_with_the_image_breaks_the_link_to_it(state: str, code: str, place: Place, button: str) -> None:
    broken = Broken(Condition(state, "", code))
    repair = repair_of(broken)
    assert repair
    assert (repair.place, repair.button, broken_link(broken)) == (place, button, Link.IMAGE)


@pytest.mark.parametrize("code", TO_DEPLOY)
def test_what_another_image_mends_leads_to_the_deploy_form(code: str) -> None:
    assert by_code(code).place is Place.DEPLOY
    assert by_code(code).says
    assert broken_link(failed(code))


@pytest.mark.parametrize("code", IN_AWS)
def test_what_is_mended_by_configuring_leads_to_the_function_in_aws(code: str) -> None:
    assert by_code(code).place is Place.FUNCTION
    assert by_code(code).says
    assert broken_link(failed(code)) is Link.VERSION


@pytest.mark.parametrize("code", TO_WAIT_FOR)
def test_what_ends_by_itself_offers_no_button(code: str) -> None:
    assert (by_code(code).button, by_code(code).place, by_code(code).breaks) == ("", Place.NOWHERE, None)


def test_each_row_is_tested_and_each_code_of_botocores_model_has_one() -> None:
    tested = {code for code, *_ in OF_IMAGE} | {*TO_DEPLOY, *IN_AWS, *TO_WAIT_FOR, "Idle"}
    assert tested == set(REPAIRS)
    for name in ("StateReasonCode", "LastUpdateStatusReasonCode"):
        assert set(MODEL.shape_for(name).metadata["enum"]) - ONLY_ZIP <= set(REPAIRS)


def test_of_a_code_nobody_knows_only_what_is_certain_is_said() -> None:
    repair = repair_of(failed("MoonPhase"))
    assert repair
    assert repair.place is Place.FUNCTION
    assert "Drydock knows no repair for Lambda's reason MoonPhase" in repair.says
    assert broken_link(failed("MoonPhase")) is Link.VERSION


def test_a_failure_without_a_code_claims_none() -> None:
    assert "no reason code" in by_code("").says


def test_an_archived_image_is_restored_and_one_being_restored_is_waited_for() -> None:
    archived, restoring = (repair_of(Broken(Condition("Active"), image_status=s)) for s in ("ARCHIVED", "ACTIVATING"))
    assert archived
    assert restoring
    assert (archived.place, archived.breaks) == (Place.ARCHIVE, Link.IMAGE)
    assert (restoring.button, restoring.breaks) == ("", Link.IMAGE)


def test_inactive_is_asleep_and_not_broken() -> None:
    asleep = Broken(Condition("Inactive", "", "Idle", "Successful"))
    repair = repair_of(asleep)
    assert repair
    assert (repair.place, broken_link(asleep)) == (Place.INVOKE, None)
    assert by_code("Idle") == repair


def test_after_a_failed_update_what_ran_before_goes_on_unbroken() -> None:
    update = Broken(Condition("Active", "", "", "Failed", "", "ImageAccessDenied"))
    repair = repair_of(update)
    assert repair
    assert (repair.place, broken_link(update)) == (Place.REPOSITORY, None)


@pytest.mark.parametrize(
    ("state", "link"),
    [
        ("Active", None),
        ("Pending", None),
        ("", None),
        ("Hibernating", None),
        ("Deactivated", Link.VERSION),
        ("Deleting", Link.VERSION),
    ],
)
def test_a_state_in_which_calls_fail_breaks_the_link_and_a_word_nobody_knows_does_not(
    state: str, link: Link | None
) -> None:
    assert broken_link(Broken(Condition(state))) is link


def test_of_several_the_image_that_is_gone_comes_first() -> None:
    gone, asleep = Broken(Condition("Active"), image_gone=True), Broken(Condition("Inactive"))
    assert most_broken([asleep, failed("InvalidSubnet"), gone]) == gone
    assert most_broken([asleep, failed("InvalidSubnet")]) == failed("InvalidSubnet")
    assert most_broken([Broken(Condition("Active"))]) is None
