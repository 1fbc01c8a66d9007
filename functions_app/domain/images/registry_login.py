"""A user name and password, as AWS hands them out and registries take them."""

import base64
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Login:
    """User name and password of a registry; the password is never shown."""

    username: str
    password: str = field(repr=False)

    @property
    def header(self) -> str:
        """The value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
