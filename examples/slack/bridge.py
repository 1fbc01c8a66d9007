"""A slash command of Slack, handed on to Drydock: a WSGI application, for any server of those.

SLACK_SIGNING_SECRET proves that Slack sent it; DRYDOCK_URL and DRYDOCK_TOKEN say where Drydock is, and let it in.
"""

import html
import os

import httpx
from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult

# A slash command is answered at the address that comes with it: no token of Slack's is needed, nor asked about.
slack = App(
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
    authorize=lambda: AuthorizeResult(enterprise_id=None, team_id=None),
)
application = SlackRequestHandler(slack, path="/")


@slack.command("/drydock")
def hand_on(ack: Ack, respond: Respond, command: dict[str, str]) -> None:
    """Ask Drydock, and tell Slack: the channel what is about a run or a plan, who asked alone what else they read."""
    ack()  # within Slack's three seconds
    said = {"text": command.get("text", ""), "user": command["user_id"], "channel": command["channel_id"]}
    # Where Slack sends it again, by the same key nothing is done again.
    headers = {"Authorization": f"Bearer {os.environ['DRYDOCK_TOKEN']}", "Idempotency-Key": command["trigger_id"]}
    try:
        told = httpx.post(f"{os.environ['DRYDOCK_URL']}/api/v1/chat", json=said, headers=headers, timeout=60).json()
    except (httpx.HTTPError, ValueError):
        told = {"text": "Drydock gives no answer.", "next_step": "Say “runs” to see whether anything began."}
    beside = (*told.get("lines", ()), *told.get("choices", ()), told.get("next_step") or told.get("url", ""))
    text = html.escape("\n".join((told["text"], *beside)), quote=False)  # or a name could call the whole channel
    respond(text, response_type="in_channel" if told.get("run") or told.get("approve") else "ephemeral")
