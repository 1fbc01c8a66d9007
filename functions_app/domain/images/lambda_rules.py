"""Lambda's own rules for images: whatever breaks one can't be deployed. What only could be better is image_advice."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal

from functions_app.domain.images.manifests import SIZE_LIMIT, ImageConfig, Index, Manifest, Platform
from functions_app.domain.redaction import redact_value
from functions_app.domain.text import storable

SURELY_SMALL = 2 * 1024**3  # bytes, compressed; layers seldom grow fivefold
LAYER_LIMIT = 127
TEXT, WORDS = 1000, 50  # characters of an answer; words of a command, which are more than are shown
SETTINGS_LIMIT = 16 * 1024  # bytes
BASE_ENTRYPOINT = "lambda-entrypoint.sh"  # of AWS's bases: starts what its argument names
ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}  # Lambda's word -> Go's


@dataclass(frozen=True)
class Check:
    """A question about an image and how it came out; None: it could not be decided, and `text` says why.

    `rule`: Lambda refuses what fails it. `advice`: what fails it works, and could be better. `hint`: something to
    know, neither good nor bad.
    """

    name: str
    ok: bool | None
    text: str
    kind: Literal["rule", "advice", "hint"] = "rule"


@dataclass(frozen=True)
class Overrides:
    """ImageConfig: what a function sets instead of the image's ENTRYPOINT, CMD and WORKDIR; empty: the image's own."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


def lambda_rules(
    manifest: Manifest | Index,
    config: ImageConfig | None,
    *,
    architecture: str,
    size_bytes: int,
    uncompressed_bytes: int | None = None,
    overrides: Overrides | None = None,
) -> tuple[Check, ...]:
    """Check an image against Lambda's rules, as a function with these `overrides` would run it.

    `architecture` is the function's; '': either of Lambda's will do. `size_bytes` is the compressed size,
    `uncompressed_bytes` that of all layers' files where they were all read. The answers are fit for being kept and
    shown, whatever is in the image.
    """
    if isinstance(manifest, Index):
        found = [_not_an_index(manifest)]
    elif not manifest.is_image:
        kind = manifest.config.media_type or "unknown"
        found = [Check("Single image", False, f"This is an artifact of type {kind[:80]}, not a container image.")]
    else:
        found = [
            Check("Single image", True, "An image manifest for one platform."),
            _platform(config, architecture),
            _media_types(manifest),
            _layers(manifest),
            _size(size_bytes, uncompressed_bytes),
            *_settings(config, overrides),
        ]
    return tuple(replace(check, text=storable(check.text, TEXT)) for check in found)


def _not_an_index(index: Index) -> Check:
    held = ", ".join(str(platform) for platform in index.platforms) or "platforms that it does not name"
    text = f"This is an index (of {held}). Lambda takes single images only: choose one by digest, or build with "
    return Check("Single image", False, text + "--provenance=false for one platform.")


def _platform(config: ImageConfig | None, architecture: str) -> Check:
    wanted = [ARCHITECTURES.get(architecture, architecture)] if architecture else list(ARCHITECTURES.values())
    named = " or ".join(str(Platform("linux", one)) for one in wanted)
    needs = f"the function needs {named}" if architecture else f"Lambda runs {named}"
    if config is None:
        return Check("Platform", None, f"The image's config could not be read; {needs}.")
    fits = config.platform.os == "linux" and config.platform.architecture in wanted
    if not fits and str(config.platform) in [str(Platform("linux", one)) for one in wanted]:
        spelt = "/".join(part for part in (config.platform.os, config.platform.architecture) if part)
        text = f"The image is for {config.platform}, but calls it {spelt}: whether Lambda takes that is not known."
        return Check("Platform", None, text)
    runs = f"the function runs on {named}" if architecture else f"Lambda runs {named}"
    text = f"The image is for {config.platform}" + ("." if fits else f", {runs}.")
    return Check("Platform", fits, text)


def _media_types(manifest: Manifest) -> Check:
    """Layers that are not gzip: Lambda's documentation names no other kind, and has refused some."""
    flavour = "Docker schema 2" if "docker" in manifest.media_type else "OCI"
    others = [layer.media_type for layer in manifest.layers if "gzip" not in layer.media_type]
    if not others:
        return Check("Media type", True, f"{flavour}, layers in gzip.")
    named = ", ".join(f"{count} of {kind[:80] or 'no type'}" for kind, count in Counter(others).most_common(2))
    return Check(
        "Media type",
        None,
        f"{flavour}; not all of its layers are gzip ({named}). Lambda may refuse them (UnsupportedImageLayerDetected).",
    )


def _layers(manifest: Manifest) -> Check:
    count = len(manifest.layers)
    foreign = [layer for layer in manifest.layers if "foreign" in layer.media_type or "nondistrib" in layer.media_type]
    if foreign:
        return Check("Layers", False, f"{len(foreign)} of its layers are not in the registry (foreign layers).")
    return Check("Layers", count <= LAYER_LIMIT, f"{count} layers; at most {LAYER_LIMIT}.")


def _size(size_bytes: int, uncompressed_bytes: int | None) -> Check:
    if uncompressed_bytes is not None:
        text = f"{_megabytes(uncompressed_bytes)} uncompressed; Lambda takes up to 10 GB."
        return Check("Size", uncompressed_bytes <= SIZE_LIMIT, text)
    text = f"{_megabytes(size_bytes)} compressed; Lambda takes up to 10 GB uncompressed."
    if size_bytes > SIZE_LIMIT:
        return Check("Size", False, text)
    return Check("Size", True if size_bytes <= SURELY_SMALL else None, text)


def _megabytes(size_bytes: int) -> str:
    megabytes = size_bytes / 1024**2
    return f"{megabytes:,.0f} MB" if megabytes >= 10 else f"{megabytes:,.1f} MB"


def _settings(config: ImageConfig | None, overrides: Overrides | None) -> tuple[Check, ...]:
    if config is None:
        return ()
    return (_settings_size(config.settings_bytes), _start(config, overrides))


def _start(config: ImageConfig, overrides: Overrides | None) -> Check:
    """What Lambda starts: each of EntryPoint and Command takes the place of the image's own, and of no other."""
    ours = overrides or Overrides()
    entrypoint, command = ours.entrypoint or config.entrypoint, ours.command or config.command
    set_by = [name for name, value in (("EntryPoint", ours.entrypoint), ("Command", ours.command)) if value]
    by = f", by the function's {' and '.join(set_by)}" if set_by else ""
    if not entrypoint and not command:
        text = "It has no ENTRYPOINT and no CMD: the function's image settings must give one."
        if overrides is None:
            return Check("Entry point", None, text)
        return Check("Entry point", False, "Nothing to start: neither the image nor the function's settings give one.")
    words = " ".join(map(str, redact_value([*entrypoint, *command][:WORDS])))
    starts = f"Starts {words[:120]}{by}."
    if not command and entrypoint[-1].rpartition("/")[2] == BASE_ENTRYPOINT:
        text = f"{starts} It needs a handler as command, and neither the image nor the function's settings give one."
        return Check("Entry point", None, text)
    return Check("Entry point", True, starts)


def _settings_size(size: int | None) -> Check:
    """Values of variables are most of it, and are never kept: their size is, since images are read."""
    if size is None:
        return Check("Settings", None, "How large its settings are is not known: Drydock read it before it kept that.")
    return Check("Settings", size <= SETTINGS_LIMIT, f"{size / 1024:.1f} KB of image settings; at most 16 KB.")
