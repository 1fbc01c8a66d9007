"""Errbot hands on to Drydock what people say, and says what it answers.

DRYDOCK_URL and DRYDOCK_TOKEN in the bot's environment say where that is, and let it in.
"""

import os
from typing import Any

import requests
from errbot import BotPlugin, botcmd


class Drydock(BotPlugin):
    """Functions that are packaged as container images: what runs, what is stale, and changes to it."""

    @botcmd
    def drydock(self, message: Any, args: str) -> str:
        """What Drydock is asked: “drydock help” tells what that can be."""
        # Who says it, by the id that the chat has for them: Drydock knows which person that is, where one has said so.
        said = {"text": args, "user": message.frm.aclattr, "channel": str(message.to)[:100]}
        headers = {"Authorization": f"Bearer {os.environ['DRYDOCK_TOKEN']}"}
        try:
            answer = requests.post(f"{os.environ['DRYDOCK_URL']}/api/v1/chat", json=said, headers=headers, timeout=60)
            told = answer.json()
        except requests.RequestException as error:
            return f"Drydock gives no answer: {type(error).__name__}."
        lines = [told["text"], *told.get("lines", ()), *told.get("choices", ())]  # also of what is refused
        lines.append(told.get("next_step") or told.get("url", ""))
        return "```\n" + "\n".join(lines).replace("```", "'''") + "\n```"  # as it is: no name is markup
