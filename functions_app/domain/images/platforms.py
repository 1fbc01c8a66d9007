"""One spelling for each platform, as containerd writes it: tools and people have several for the same.

Source: containerd's platforms/database.go, normalizeOS and normalizeArch, as tables.
"""

OPERATING_SYSTEMS = {"": "linux", "macos": "darwin"}  # none told: the host's, and Lambda's are Linux
ARCHITECTURES = {
    "i386": "386",
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "armhf": "arm",
    "armel": "arm",
}
IMPLIED = {"i386": "", "armhf": "v7", "armel": "v6"}  # the variant that a name means, whatever else is told
VARIANTS = {
    ("amd64", "v1"): "",
    ("arm64", "8"): "",
    ("arm64", "v8"): "",
    ("arm64", "v8.0"): "",
    ("arm64", "9"): "v9",
    ("arm64", "9.0"): "v9",
    ("arm64", "v9.0"): "v9",
    ("arm", ""): "v7",
    ("arm", "5"): "v5",
    ("arm", "6"): "v6",
    ("arm", "7"): "v7",
    ("arm", "8"): "v8",
}


def normalised(os: str, architecture: str, variant: str = "") -> tuple[str, str, str]:
    """Operating system, architecture and variant by their usual names; nothing where no architecture is told."""
    os, named, variant = os.lower(), architecture.lower(), variant.lower()
    architecture = ARCHITECTURES.get(named, named)
    variant = IMPLIED.get(named, variant)
    os = OPERATING_SYSTEMS.get(os, os) if architecture else os
    return os, architecture, VARIANTS.get((architecture, variant), variant)


def wanted(text: str) -> str:
    """A platform as people ask for it, by its usual name; `linux/arm` stays what any variant of it fits."""
    parts = text.lower().split("/")
    if len(parts) not in (2, 3) or parts[1:] == ["arm"]:
        return text.lower()
    return "/".join(part for part in normalised(*parts) if part)
