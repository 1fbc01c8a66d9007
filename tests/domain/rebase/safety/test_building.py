"""How the app was built, what was proven of it, and what Lambda takes."""

from datetime import UTC, datetime, timedelta

import pytest

from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.rebase.safety.building import SIZE_LIMIT, system_commands
from functions_app.domain.rebase.safety.findings import Level, Offer
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide, SideFiles, Target
from tests.domain.rebase.safety.cases import app, base, codes, file

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "step",
    [
        "RUN /bin/sh -c dnf install -y gcc # buildkit",
        "RUN |1 A=b /bin/sh -c yum -y install gcc && yum clean all # buildkit",
        "/bin/sh -c microdnf install gcc",
        "RUN apt-get update && apt-get install -y gcc",
        "RUN apk add --no-cache curl",
        "RUN rpm -Uvh https://example.com/x.rpm",
        "RUN dpkg -i x.deb",
        "/bin/sh -c mkdir /x && useradd -r app",
        "RUN ldconfig",
        "RUN /usr/sbin/ldconfig -v",
        "RUN groupadd app",
        "RUN update-ca-trust extract",
    ],
)
def test_commands_that_change_the_system_are_for_review(step: str) -> None:
    judged = judge(base(), base(), app(file("var/task/x.py"), steps=(step,)))

    assert (judged.level, codes(judged), judged.findings[0].count) == (
        Level.REVIEW, ["system-command"], len(system_commands([step])),
    )  # fmt: skip


@pytest.mark.parametrize(
    "step",
    [
        "RUN /bin/sh -c pip install -r requirements.txt # buildkit",
        "COPY dnf.conf /etc/dnf/dnf.conf # buildkit",
        "ENV PATH=/opt/apt install",
        "/bin/sh -c #(nop)  CMD [\"apt-get\" \"install\"]",
        "RUN echo dnf install",
        "RUN rpm -qa && dpkg -l && apk info",
        "RUN yum clean all",
        "RUN ./adduser.sh",
        "",
    ],
)  # fmt: skip
def test_other_commands_and_steps_are_not(step: str) -> None:
    assert system_commands([step]) == ()


@pytest.mark.parametrize(
    "command",
    [
        "yum install -y https://bot:hunter2@repo.example.com/x.rpm",
        "dnf -y --setopt=private.password=hunter2 install gcc",
        "dnf install -y " + "gcc " * 30 + "--setopt=private.password=hunter2" + "x" * 200,
        "useradd -m -p hunter2 app",
        "usermod -p 'hunter2' app",
        "useradd --password hunter2 app",
    ],
)
def test_secrets_in_a_command_are_not_told(command: str) -> None:
    judged = judge(base(), base(), app(file("var/task/x.py"), steps=(f"RUN /bin/sh -c {command} # buildkit",)))

    (told,) = judged.findings[0].paths
    assert "hunter2" not in told
    assert told.split()[0] == command.split()[0]


def test_a_step_that_was_made_to_be_read_for_ever_is_read_at_once() -> None:
    """Looking for the end of a shell's options from each beginning would take as long as the square of its length."""
    assert system_commands(["RUN x && " + "/bin/sh x " * 200_000 + "&& dnf install gcc"]) == ("dnf install gcc",)


def test_signatures_and_bills_of_materials_that_are_lost_are_for_review() -> None:
    own = AppSide((LayerContents((file("var/task/x.py"),)),), signatures=("cosign sha256:1",), boms=("spdx sha256:2",))

    judged = judge(base(), base(), own)

    assert (judged.level, codes(judged)) == (Level.REVIEW, ["signature-lost", "sbom-lost"])
    assert judged.findings[0].paths == ("cosign sha256:1",)


def test_a_result_beyond_lambdas_size_is_unsafe() -> None:
    new = base(size_bytes=SIZE_LIMIT - 100)

    assert codes(judge(base(), new, AppSide((LayerContents((file("x"),), size_bytes=101),)))) == ["image-too-large"]
    assert codes(judge(base(), new, AppSide((LayerContents((file("x"),), size_bytes=100),)))) == []


def test_a_result_of_more_layers_than_lambda_takes_is_unsafe() -> None:
    many, old = SideFiles((*base().layers, *(LayerContents(()) for _ in range(125)))), base()

    assert codes(judge(old, many, AppSide((LayerContents(()),) * 2))) == ["image-too-large"]
    assert codes(judge(old, many, AppSide((LayerContents(()),)))) == []


def test_a_release_younger_than_its_soak_time_is_for_review() -> None:
    young, day = Target(NOW - timedelta(hours=23), NOW, timedelta(hours=24)), timedelta(hours=24)

    judged = judge(base(), base(), app(), young)

    assert (judged.level, codes(judged)) == (Level.REVIEW, ["base-too-young"])
    assert judged.findings[0].detail == "it is 23 h old; the soak time is 24 h"
    assert codes(judge(base(), base(), app(), Target(NOW - day, NOW, day))) == []
    assert codes(judge(base(), base(), app(), Target(NOW, NOW))) == []


def test_a_release_of_unknown_age_has_not_soaked() -> None:
    assert codes(judge(base(), base(), app(), Target(None, NOW, timedelta(hours=1)))) == ["base-too-young"]


def test_a_withdrawn_release_is_refused_and_nothing_is_offered() -> None:
    judged = judge(base(), base(), app(), Target(NOW, NOW, withdrawn=True))

    assert (judged.level, codes(judged), judged.offer) == (Level.UNSAFE, ["base-withdrawn"], Offer.NOTHING)
