"""What a version of a function is configured to, as a listing tells it; of its environment the names alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from functions_app.domain.fleet.parts import Part


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings of one version; memory and /tmp in MB, timeout in seconds. What `unread` names is unknown."""

    memory_mb: int = 128
    timeout_s: int = 3
    ephemeral_mb: int = 512
    architecture: str = "x86_64"
    role_arn: str = ""
    log_group: str = ""
    vpc: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    env_keys: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = ""
    unread: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As it is stored: without what is empty."""
        return {name: value for name, value in asdict(self).items() if value not in ("", ())}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Configuration":
        """Read what is stored; what another Drydock kept beside it is left out."""
        known = {field.name for field in fields(cls)}
        read: dict[str, Any] = {
            name: tuple(of) if isinstance(of, list) else of for name, of in value.items() if name in known
        }
        return cls(**read)

    def tells(self, part: Part) -> bool:
        """Whether AWS told this part of it."""
        return part.value not in self.unread


@dataclass(frozen=True)
class Setting:
    """One setting in words."""

    name: str
    value: str


@dataclass(frozen=True)
class Start:
    """One of the three that say what is started: what the image says, what the function sets instead ("": nothing).

    None: not known.
    """

    name: str
    member: str  # of ImageConfig, as AWS calls it
    image: str | None
    function: str | None

    @property
    def effective(self) -> str | None:
        """What counts."""
        return None if self.function is None else self.function or self.image


@dataclass(frozen=True)
class Between:
    """How the names of variables and the settings differ, from one version to another. None: not known."""

    added: tuple[str, ...] | None
    removed: tuple[str, ...] | None
    settings: tuple[tuple[str, str, str], ...]

    @property
    def same(self) -> bool:
        """Whether nothing is known to differ, values apart."""
        return not (self.added or self.removed or self.settings) and self.added is not None


def settings(of: Configuration) -> tuple[Setting, ...]:
    """All but what is started and the environment."""
    return tuple(_settings(of))


def _settings(of: Configuration) -> Iterator[Setting]:
    yield Setting("Memory", f"{of.memory_mb:,} MB")
    yield Setting("Timeout", f"{of.timeout_s:,} s")
    yield Setting("/tmp", f"{of.ephemeral_mb:,} MB")  # noqa: S108 - Lambda's
    yield Setting("Architecture", of.architecture)
    yield Setting("VPC", _vpc(of))
    yield Setting("Role", of.role_arn)
    yield Setting("Log group", of.log_group)


def _vpc(of: Configuration) -> str:
    if not of.subnets:
        return "none"
    return ", ".join([*([of.vpc] if of.vpc else []), *of.subnets, *of.security_groups])


def started(of: Configuration, image: Mapping[str, Any] | None) -> tuple[Start, Start, Start]:
    """ENTRYPOINT, CMD and WORKDIR; `image` are the image's own settings as they are kept, None where not read."""
    told = of.tells(Part.IMAGE_SETTINGS)

    def line(name: str, member: str, key: str, own: Sequence[str] | str) -> Start:
        return Start(name, member, None if image is None else _words(image.get(key)), _words(own) if told else None)

    return (
        line("ENTRYPOINT", "EntryPoint", "entrypoint", of.entrypoint),
        line("CMD", "Command", "command", of.command),
        line("WORKDIR", "WorkingDirectory", "working_directory", of.working_directory),
    )


def _words(value: Sequence[str] | str | None) -> str:
    return value if isinstance(value, str) else " ".join(value or ())


def between(before: Configuration, after: Configuration) -> Between:
    """What differs, as far as both were told."""
    names = before.tells(Part.ENVIRONMENT) and after.tells(Part.ENVIRONMENT)
    old, new = set(before.env_keys), set(after.env_keys)
    pairs = [(one.name, one.value, other.value) for one, other in zip(settings(before), settings(after), strict=True)]
    if before.tells(Part.IMAGE_SETTINGS) and after.tells(Part.IMAGE_SETTINGS):
        both = zip(started(before, None), started(after, None), strict=True)
        pairs += [(one.member, one.function or "not set", other.function or "not set") for one, other in both]
    return Between(
        added=tuple(sorted(new - old)) if names else None,
        removed=tuple(sorted(old - new)) if names else None,
        settings=tuple(each for each in pairs if each[1] != each[2]),
    )
