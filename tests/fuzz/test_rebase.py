"""Rebases of any three images: a result that is an image again, a refusal that can be shown, or an image refused."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.images.manifests import DOCKER_MANIFEST, OCI_MANIFEST
from functions_app.domain.rebase.held import HeldImage
from functions_app.domain.rebase.merge import merge
from functions_app.domain.rebase.own_settings import own_settings
from functions_app.domain.rebase.rebase import Rebase, rebase
from functions_app.domain.rebase.refusals import Refusal
from functions_app.domain.rebase.tags import rebased_tag
from functions_app.domain.refs import is_tag
from sandbox.images.making import Image
from tests.fuzz.bounds import assert_shown, bounded, told
from tests.fuzz.inputs import edited, json_bytes, texts
from tests.fuzz.running import fuzzed
from tests.fuzz.samples import INDEX
from tests.image_kinds.assembly import new_base, old_base
from tests.image_kinds.builders import BUILDERS

RELEASED = datetime(2026, 10, 18, tzinfo=UTC)
REFUSAL_LENGTH = 1000
APPS = [build(old_base()) for build in BUILDERS.values()]
CONFIGS = [json.loads(image.config.data) for image in (*APPS, old_base(), new_base())]
MANIFESTS = [json.loads(image.manifest.data) for image in (*APPS, old_base(), new_base())]
SETTINGS = [config["config"] for config in CONFIGS]
SPELLINGS = (
    *("ENV ", "env\t", "LABEL ", "EXPOSE ", "VOLUME ", "CMD ", "/bin/sh -c #(nop)  ENV ", "#(nop) ", " # buildkit"),
    *("A=b ", 'A="b c" ', "A='", '"', "\\", "=", "map[80/tcp:{}]", "[/a /b]", "/a" * 50, "\n", "#", "$PATH"),
)
steps = st.lists(st.one_of(st.sampled_from(SPELLINGS), texts), max_size=6).map("".join)


def pinned(manifest: bytes, config: bytes) -> bytes:
    """The manifest with the config's own digest, where it has a place for one: else all that follows is never tried."""
    try:
        document = json.loads(manifest)
        document["config"]["digest"] = "sha256:" + hashlib.sha256(config).hexdigest()
        return json.dumps(document).encode()
    except (ValueError, TypeError, KeyError, RecursionError):
        return manifest


def held(manifest: bytes, config: bytes) -> HeldImage | None:
    """The image, where there is one."""
    found = told(lambda: HeldImage.read("registry.test/a", pinned(manifest, config), config))
    if isinstance(found, Refusal):
        assert_shown(found.text, REFUSAL_LENGTH)
        return None
    return found


def base(image: Image) -> HeldImage:
    """A base as it is."""
    found = HeldImage.read("registry.test/base", image.manifest.data, image.config.data)
    assert isinstance(found, HeldImage)
    return found


OLD, NEW = base(old_base()), base(new_base())


def judge(app: HeldImage, old: HeldImage, new: HeldImage, tag: str) -> None:
    """Rebase it."""
    name, digest = "registry.test/base:1", "sha256:" + "1d" * 32
    made = told(lambda: rebase(app, old, new, released=RELEASED, base_name=name, base_digest=digest, tag=tag))
    if isinstance(made, Refusal):
        assert_shown(made.text, REFUSAL_LENGTH)
        assert made.next_step
    if isinstance(made, Rebase):
        again = HeldImage.read("registry.test/a", made.manifest, made.config, made.media_type)
        assert isinstance(again, HeldImage)
        assert again.config.diff_ids == (*new.config.diff_ids, *app.config.diff_ids[len(old.config.diff_ids) :])
        assert made.media_type in (OCI_MANIFEST, DOCKER_MANIFEST)
        assert is_tag(made.tag)
        for note in made.notes:
            assert_shown(note.text, REFUSAL_LENGTH)


@fuzzed(300)
@given(st.integers(0, len(APPS) - 1), st.data(), texts)
def test_an_image_is_rebased_or_refused_whatever_its_config_says(number: int, data: st.DataObject, tag: str) -> None:
    config = data.draw(json_bytes([CONFIGS[number]]))
    if app := held(APPS[number].manifest.data, config):
        judge(app, OLD, NEW, tag)


@fuzzed(150)
@given(st.integers(0, len(APPS) - 1), st.data(), texts)
def test_an_image_is_rebased_or_refused_whatever_its_manifest_says(number: int, data: st.DataObject, tag: str) -> None:
    manifest = data.draw(json_bytes([MANIFESTS[number]]))
    if app := held(manifest, APPS[number].config.data):
        judge(app, OLD, NEW, tag)


@fuzzed(150)
@given(json_bytes([INDEX]))
def test_an_index_is_refused_with_what_is_in_it(manifest: bytes) -> None:
    assert held(manifest, b"") is None


@fuzzed(150)
@given(st.data())
def test_bases_may_be_hostile_too(data: st.DataObject) -> None:
    old = held(old_base().manifest.data, data.draw(json_bytes([CONFIGS[-2]])))
    new = held(new_base().manifest.data, data.draw(json_bytes([CONFIGS[-1]])))
    app = held(APPS[1].manifest.data, APPS[1].config.data)
    if app and old and new:
        judge(app, old, new, "v1")


@fuzzed(200)
@given(edited(SETTINGS), edited(SETTINGS), edited(SETTINGS), st.lists(steps, max_size=4))
def test_settings_are_merged_or_refused_and_values_never_told(old: Any, new: Any, app: Any, history: list[str]) -> None:
    if not all(isinstance(side, dict) for side in (old, new, app)):
        return
    made = told(lambda: merge(old, new, app, own_settings(history)))
    for note in made.notes if made else ():
        assert_shown(note.text, REFUSAL_LENGTH)


@fuzzed(300)
@given(steps)
def test_any_step_tells_what_it_sets(step: str) -> None:
    with bounded():
        own_settings([step, step * 50])


@fuzzed(100)
@given(texts, st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - the strategy adds it
def test_any_tag_becomes_one_that_registries_take(tag: str, released: datetime) -> None:
    with bounded():
        assert is_tag(rebased_tag(tag, released, "sha256:" + "ab" * 32))
