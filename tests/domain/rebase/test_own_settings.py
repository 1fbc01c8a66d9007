"""An app's own settings are found in its history, whoever wrote it."""

import pytest

from functions_app.domain.rebase.own_settings import OwnSettings, own_settings

# moby's classic builder, with SHELL too; BuildKit; buildah and kaniko, which keep the line as it was written.
ENV_OF_STAGE = (
    "/bin/sh -c #(nop)  ENV STAGE=prod",
    "/bin/sh -c #(nop) ENV STAGE=prod",
    "/bin/bash -o pipefail -c #(nop)  ENV STAGE=prod",
    "ENV STAGE=prod",
    "ENV STAGE=prod # buildkit",
    "ENV STAGE prod and more",
    "ENV STAGE A=b",
    'env STAGE="prod"',
    '/bin/sh -c #(nop) env STAGE="a NOT=this"',
    "ENV   STAGE='x y'",
)


@pytest.mark.parametrize("step", ENV_OF_STAGE)
def test_a_variable_is_the_apps(step: str) -> None:
    assert own_settings([step]) == OwnSettings(frozenset(), frozenset({("Env", "STAGE")}))


@pytest.mark.parametrize(
    ("step", "names"),
    [
        ("ENV A=b C=d", {("Env", "A"), ("Env", "C")}),
        ('LABEL a.b/c="d e" "f"="g"', {("Labels", "a.b/c"), ("Labels", "f")}),
        ("/bin/sh -c #(nop)  LABEL team=harbour", {("Labels", "team")}),
        ("EXPOSE 8080 53/UDP", {("ExposedPorts", "8080/tcp"), ("ExposedPorts", "53/udp")}),
        ("EXPOSE map[8080/tcp:{}]", {("ExposedPorts", "8080/tcp")}),
        ("EXPOSE [8080/tcp 9000-9010/tcp]", {("ExposedPorts", "8080/tcp"), ("ExposedPorts", "9000-9010/tcp")}),
        ("VOLUME [/data /log]", {("Volumes", "/data"), ("Volumes", "/log")}),
        ('VOLUME ["/data"]', {("Volumes", "/data")}),
        ("VOLUME map[/data:{}]", {("Volumes", "/data")}),
    ],
)
def test_what_has_names_is_told_by_name(step: str, names: set[tuple[str, str]]) -> None:
    assert own_settings([step]) == OwnSettings(frozenset(), frozenset(names))


@pytest.mark.parametrize(
    ("step", "member"),
    [
        ('CMD ["app.handler"]', "Cmd"),
        ('/bin/sh -c #(nop)  CMD ["app.handler"]', "Cmd"),
        ('entrypoint ["/boot"]', "Entrypoint"),
        ("WORKDIR /app # buildkit", "WorkingDir"),
        ("USER 1000:1000", "User"),
        ("STOPSIGNAL SIGQUIT", "StopSignal"),
        ('HEALTHCHECK &{["CMD" "true"] "30s" "0s" "0s" \'\\x00\'}', "Healthcheck"),
        ("/bin/sh -c #(nop)  SHELL [/bin/bash -c]", "Shell"),
        ("ONBUILD RUN true", "OnBuild"),
    ],
)
def test_a_setting_is_the_apps_as_a_whole(step: str, member: str) -> None:
    assert own_settings([step]) == OwnSettings(frozenset({member}))


@pytest.mark.parametrize(
    "step",
    [
        "RUN /bin/sh -c ENV=1 make # buildkit",
        "RUN |1 ENV=a /bin/sh -c true # buildkit",
        "/bin/sh -c USER=me make",
        "COPY ENV=a /var/task # buildkit",
        "RUN /bin/sh -c #(nop) ENV A=b # buildkit",
        "|1 B=c /bin/sh -c #(nop) ENV A=b",
        "/bin/sh -c echo '#(nop) ENV A=b'",
        "/bin/sh -c true; #(nop) ENV A=b",
        "ARG STAGE=prod",
        "ENVIRONMENT A=b",
        "bazel build ...",
        "",
    ],
)
def test_commands_and_arguments_set_nothing(step: str) -> None:
    assert own_settings([step]) == OwnSettings()
