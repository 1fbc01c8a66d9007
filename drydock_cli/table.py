"""Every verb. Those of the chat are the same, in the same words and order (tests/cli holds them together)."""

from drydock_cli import changing, own, reading, running

VERBS = (*reading.VERBS, *changing.VERBS, *running.VERBS, *own.VERBS)
