"""Warm execution environments: leased to one invocation at a time, kept for the next, ended with the sandbox."""

from __future__ import annotations

import atexit
import threading

from sandbox.lambda_.runtime.environment import Environment
from sandbox.lambda_.runtime.root_files import ROOTS

MAX_IDLE = 12


class Environments:
    """Environments by generation: the identity of the code and settings that they were started from."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[tuple[str, Environment]] = []
        self._leased: dict[Environment, str] = {}
        self._retired: set[Environment] = set()

    def take(self, generation: str) -> Environment | None:
        """A warm environment for one invocation, or None: then start one and let `adopt` know."""
        with self._lock:
            for position in range(len(self._idle) - 1, -1, -1):
                if self._idle[position][0] != generation:
                    continue
                environment = self._idle.pop(position)[1]
                if environment.is_usable:
                    self._leased[environment] = generation
                    return environment
                environment.close()
        return None

    def adopt(self, generation: str, environment: Environment) -> Environment:
        """Take a new environment in, leased to whoever started it."""
        with self._lock:
            self._leased[environment] = generation
        return environment

    def give_back(self, environment: Environment) -> None:
        """Keep an environment for the next invocation, unless it broke or its code was replaced meanwhile."""
        surplus: list[Environment] = []
        with self._lock:
            generation = self._leased.pop(environment)
            if environment.is_usable and environment not in self._retired:
                self._idle.append((generation, environment))
            else:
                surplus.append(environment)
            self._retired.discard(environment)
            while len(self._idle) > MAX_IDLE:
                surplus.append(self._idle.pop(0)[1])
        for unwanted in surplus:
            unwanted.close()

    def retire(self, generation: str) -> None:
        """End the idle environments of a generation; those at work end after it."""
        with self._lock:
            ended = [environment for name, environment in self._idle if name == generation]
            self._idle = [entry for entry in self._idle if entry[0] != generation]
            self._retired |= {environment for environment, name in self._leased.items() if name == generation}
        for environment in ended:
            environment.close()

    def shutdown(self) -> None:
        """End every process, at work or not, and remove what was unpacked."""
        with self._lock:
            everything = [*(environment for _, environment in self._idle), *self._leased]
            self._idle.clear()
        for environment in everything:
            environment.close()
        ROOTS.clear()


ENVIRONMENTS = Environments()
atexit.register(ENVIRONMENTS.shutdown)
