"""A rebased image equals what `docker build` makes of the same Dockerfile on the new base."""

from datetime import UTC, datetime

import pytest

from functions_app.domain.images.manifests import DOCKER_MANIFEST
from sandbox.builds.dockerfile import Options, build
from sandbox.builds.files import Files
from sandbox.images.making import Image
from tests.domain.rebase.images import config_of, rebased
from tests.domain.rebase.test_kinds import essence
from tests.image_kinds import published
from tests.image_kinds.assembly import PATH, new_base, old_base
from tests.image_kinds.recast import with_config

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
CONTEXT = Files({"app.py": b"def handler(event, context):\n    return event\n", "boot": b"#!/bin/sh\n"})
DOCKERFILES = {
    "a handler": 'COPY app.py ./\nCMD ["app.handler"]',
    "variables": "ENV STAGE=prod REGION=eu\nENV OLD form of it\nCOPY app.py .",
    "a longer path": "ENV PATH=/opt/app/bin:$PATH\nCOPY app.py .",
    "a path longer at both ends": "ENV PATH=/opt/a:$PATH:/opt/b\nCOPY app.py .",
    "a path of its own": "ENV PATH=/opt/app/bin\nCOPY app.py .",
    "a variable set to what the base has": "ENV LANG=C.UTF-8 RUNTIME_VERSION=8.0.1\nCOPY app.py .",
    "a variable that the new base takes away": "ENV GONE=2\nCOPY app.py .",
    "labels": 'LABEL team=harbour release="mine"\nCOPY app.py .',
    "an entry point": 'COPY boot /boot\nENTRYPOINT ["/boot"]\nCMD ["app.handler"]',
    "an entry point and no command": "COPY boot /boot\nENTRYPOINT /boot",
    "a command and no layer": 'CMD ["app.handler"]',
    "user and folder": "WORKDIR /srv/app\nUSER 1000:1000\nCOPY app.py .\nRUN pip install .",
    "nothing": "RUN true",
    "two stages": "FROM base AS build\nCOPY app.py /out/\nFROM base\nCOPY --from=build /out/app.py ./",
}
BASES = {
    "by hand": (old_base(), new_base()),
    "arm64": (old_base("arm64"), new_base("arm64")),
    "AWS's": (published.aws(published.PYTHON, 2), published.aws(published.PYTHON, 3)),
    "with a command": (
        with_config(old_base(), config={**old_base().document["config"], "Cmd": ["old"]}),
        with_config(new_base(), config={**new_base().document["config"], "Cmd": ["new"]}),
    ),
    "without history": (with_config(old_base(), history=None), new_base()),
}


def built(base: Image, dockerfile: str) -> Image:
    """The image of a Dockerfile on this base."""
    text = dockerfile if dockerfile.startswith("FROM") else f"FROM base\n{dockerfile}"
    platform = f"linux/{base.architecture}"
    return build(text, CONTEXT, lambda _name, _platform: base, Options(platform=platform), NOON)


@pytest.mark.parametrize("bases", BASES)
@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_it_equals_a_build_on_the_new_base(dockerfile: str, bases: str) -> None:
    old, new = BASES[bases]
    rebuilt = built(new, DOCKERFILES[dockerfile])

    made = rebased(built(old, DOCKERFILES[dockerfile]), old, new)

    assert essence(config_of(made)) == essence(rebuilt.document)
    assert [layer.descriptor.digest for layer in made.layers] == [layer.digest for layer in rebuilt.layers]
    assert made.media_type == DOCKER_MANIFEST


@pytest.mark.parametrize("dockerfile", [name for name in DOCKERFILES if "longer" not in name])
def test_the_history_is_that_of_a_build_too(dockerfile: str) -> None:
    made = rebased(built(old_base(), DOCKERFILES[dockerfile]))

    assert config_of(made)["history"] == built(new_base(), DOCKERFILES[dockerfile]).document["history"]


def test_the_history_tells_a_longer_path_as_it_was_set() -> None:
    made = rebased(built(old_base(), DOCKERFILES["a longer path"]))

    steps = [step["created_by"] for step in config_of(made)["history"]]
    assert f"ENV PATH=/opt/app/bin:{PATH}" in steps
