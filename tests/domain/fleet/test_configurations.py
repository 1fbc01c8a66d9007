"""What a version is configured to: kept, put in words, and compared by names."""

from functions_app.domain.fleet.configurations import Configuration, between, settings, started

PLAIN = Configuration(memory_mb=512, role_arn="arn:aws:iam::1:role/app", env_keys=("A", "B"))
IMAGE = {"entrypoint": ["/lambda-entrypoint.sh"], "command": ["app.handler"], "working_directory": "/var/task"}


def test_what_is_kept_is_read_again_as_it_was() -> None:
    full = Configuration(
        1024, 30, 2048, "arm64", "role", "group", "vpc-1", ("s-1",), ("sg-1",), ("A",), ("/x",), ("y",)
    )
    assert Configuration.from_json(full.as_json()) == full
    assert Configuration.from_json({**PLAIN.as_json(), "of a newer Drydock": 1}) == PLAIN


def test_what_is_empty_is_not_kept() -> None:
    assert "subnets" not in PLAIN.as_json()
    assert "unread" not in PLAIN.as_json()


def test_settings_have_units_and_a_vpc_its_parts() -> None:
    words = {setting.name: setting.value for setting in settings(PLAIN)}
    assert (words["Memory"], words["Timeout"], words["/tmp"], words["VPC"]) == ("512 MB", "3 s", "512 MB", "none")
    inside = Configuration(vpc="vpc-1", subnets=("subnet-a", "subnet-b"), security_groups=("sg-1",))
    assert {each.name: each.value for each in settings(inside)}["VPC"] == "vpc-1, subnet-a, subnet-b, sg-1"


def test_what_the_function_overrides_counts_and_the_rest_is_the_images() -> None:
    entrypoint, command, workdir = started(Configuration(command=("worker.handler",)), IMAGE)
    assert (entrypoint.image, entrypoint.function, entrypoint.effective) == (
        "/lambda-entrypoint.sh",
        "",
        "/lambda-entrypoint.sh",
    )
    assert (command.image, command.function, command.effective) == ("app.handler", "worker.handler", "worker.handler")
    assert (workdir.name, workdir.effective) == ("WORKDIR", "/var/task")


def test_of_an_image_that_was_not_read_and_of_settings_aws_did_not_tell_nothing_is_claimed() -> None:
    assert [line.image for line in started(PLAIN, None)] == [None, None, None]
    untold = started(Configuration(unread=("image_settings",)), IMAGE)
    assert [(line.function, line.effective) for line in untold] == [(None, None)] * 3


def test_two_versions_differ_by_names_of_variables_and_by_settings() -> None:
    after = Configuration(memory_mb=1024, role_arn=PLAIN.role_arn, env_keys=("B", "C"), command=("x",))
    found = between(PLAIN, after)
    assert (found.added, found.removed) == (("C",), ("A",))
    assert found.settings == (("Memory", "512 MB", "1,024 MB"), ("Command", "not set", "x"))
    assert not found.same
    assert between(PLAIN, PLAIN).same


def test_names_that_were_not_told_are_not_taken_for_none() -> None:
    found = between(PLAIN, Configuration(memory_mb=512, role_arn=PLAIN.role_arn, unread=("environment",)))
    assert (found.added, found.removed, found.same) == (None, None, False)
