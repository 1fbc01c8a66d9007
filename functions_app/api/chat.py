"""`/chat`: what a chat bot hears, word for word, and what it answers; who a chat user is."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from ninja import Field, Query, Router, Schema
from ninja.responses import Status

from functions_app.api.idempotency import NOT_KEPT, identity
from functions_app.api.plans import PlanAnswer
from functions_app.api.plans import told as plan_told
from functions_app.api.requests import ApiRequest
from functions_app.api.runs import Started, started
from functions_app.api.shapes import OWN, Answer, Body, Listed, Page, Paged, Told, link, page_of, paged
from functions_app.domain import limits
from functions_app.domain.chat import reading
from functions_app.domain.errors import DrydockError
from functions_app.domain.json_fields import read_strict
from functions_app.domain.text import counted
from functions_app.services.chat import links
from functions_app.services.chat.answering import answer
from functions_app.services.chat.replies import Reply
from functions_app.services.chat.speakers import speaker
from functions_app.services.inventory.tables.people import link_table
from functions_app.streams.table_download import table_answer
from functions_app.streams.waiting_answers import ASK_AGAIN

router = Router(tags=["chat"])


class Message(Body):
    """What somebody wrote; who and where, as the chat itself names them. The user says nothing of what they may."""

    text: str = Field(max_length=reading.LONGEST, examples=["patch billing-api live"])
    user: str = Field(min_length=1, max_length=100, description="the id of the chat's user, which nobody else gets")
    channel: str = Field("", max_length=100)


class ChatAnswer(Told):
    """One line to say, and what may be said beside it."""

    lines: list[str] = Field(description="a list that was asked for, or what is to be known of a plan")
    choices: list[str] = Field(description="what the word that is missing could be")
    plan: PlanAnswer | None
    approve: str = Field(description="what is to be said to apply the plan: “approve 7F3K”")
    run: Started | None


class LinkLine(Schema):
    """A chat user, and who that is."""

    id: int
    chat_user: str
    bot: str
    person: str
    since: datetime


class LinkPage(Page):
    """A page of links, the newest first."""

    links: list[LinkLine]


@router.post("/chat", response={200: ChatAnswer, 202: ChatAnswer})
def say(request: ApiRequest, response: HttpResponse, body: Message) -> Answer:
    """Answer what somebody said in a chat: what was asked for, a plan with the code that applies it, or a run."""
    who = speaker(request.actor, request.token, body.user, body.channel)
    request.actor = who.actor  # whom the log names
    reply = answer(who, body.text, identity(request))
    if reply.preparing:
        setattr(response, NOT_KEPT, True)  # the same message, with the same key, is to do it then
        response[ASK_AGAIN] = "once the run has ended"
    if reply.started and reply.run:
        response["Location"] = reverse("api:get_run", args=[reply.run.pk])
    return Status(202 if reply.started else 200, _told(request, reply))


def _told(request: ApiRequest, reply: Reply) -> dict[str, Any]:
    name, *arguments = reply.page
    query = f"?{urlencode(reply.query)}" if reply.query else ""
    return {
        "text": reply.text,
        "url": link(request, f"{reverse(name, args=arguments)}{query}"),
        "lines": list(reply.lines),
        "choices": list(reply.choices),
        "plan": plan_told(request, reply.plan) if reply.plan else None,
        "approve": reply.approve,
        "run": started(request, reply.run) if reply.run else None,
    }


def asks_aws(data: bytes) -> bool:
    """Whether a message is answered with a plan, which AWS is asked for. What is too large to be looked at may be."""
    if len(data) > limits.SMALL_BODY:
        return True
    try:
        return reading.asks_aws(str(read_strict(data, "body").get("text", "")))
    except DrydockError:
        return False


@router.get("/chat/links", response=LinkPage)
def list_chat_links(request: ApiRequest, filters: Query[Paged]) -> Listed:
    """One's own links; for an administrator everybody's."""
    if filters.format:
        return table_answer(request, link_table(request.actor))
    found = links.listed(request.actor, page_of(filters.cursor, {"of": "links"}))
    text = f"{counted(found.total, 'chat user is linked', 'chat users are linked')}."
    at = (found.number, found.last)
    return {
        **paged(request, reverse("chat"), text, {"of": "links"}, total=found.total, at=at, as_of=OWN),
        "links": [
            {
                "id": row.pk,
                "chat_user": row.chat_user,
                "bot": row.token.name,
                "person": row.person.get_username(),
                "since": row.since,
            }
            for row in found.rows
        ],
    }


@router.post("/chat/links/{int:pk}/unlink", response=Told)
def unlink_chat_user(request: ApiRequest, pk: int) -> dict[str, Any]:
    """End a link at once."""
    links.unlink(pk, request.actor)
    return {"text": "That chat user is nobody in particular any more.", "url": link(request, reverse("chat"))}
