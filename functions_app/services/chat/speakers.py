"""Who speaks in a chat: the person that a chat user was linked to, within the token of the bot that heard them."""

from dataclasses import dataclass

from functions_app.domain.chat.grammar import Verb
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import holds_secret
from functions_app.domain.text import storable
from functions_app.models import ApiToken
from functions_app.services.chat import links
from functions_app.services.people import access
from functions_app.services.people.actor import Actor, chat_via


@dataclass(frozen=True)
class Speaker:
    """Who speaks, and through what: what they may is what the person and the token may, and no further than that gets.

    Who is linked to nobody has no name of their own, and `may_read` is what the token lets everybody who is heard.
    """

    actor: Actor
    may_read: bool
    token: ApiToken
    user: str

    @property
    def linked(self) -> bool:
        """Whether it is known who they are."""
        return self.actor.person is not None


def speaker(bot: Actor, token: ApiToken, user: str, channel: str) -> Speaker:
    """Whoever the bot with this token hears. One query. Raises INVALID for a name that can't be kept as it is.

    A link to somebody who is nobody here any more lets its chat user do nothing, not even what others may read.
    """
    name, where = _kept(user, "user"), _kept(channel, "channel")
    via = chat_via(token.name, where)
    people = links.people_of(token, name)
    if not people:
        nobody = Actor(None, via, frozenset(), f"(chat user {name})", bot.reach)
        return Speaker(nobody, access.may_look(bot), token, name)
    actor = Actor(people[0], via, bot.scopes, reach=bot.reach)
    return Speaker(actor, access.may_look(actor), token, name)


def require_right(speaker: Speaker, verb: Verb) -> None:
    """Raise DENIED where the speaker may not say this at all; what a change needs is asked where it is planned.

    A refused attempt is in the audit table.
    """
    if verb.changes and not speaker.linked:
        refusal = DrydockError(
            Code.DENIED,
            f"Nobody knows who you are here, and to {verb.word} is for people who are linked.",
            next_step="Sign in to Drydock, open Settings, Chat, make a code, and say “link CODE” here.",
        )
    elif not verb.changes and not speaker.may_read:
        refusal = DrydockError(
            Code.DENIED,
            "This bot, or the person you are here, may not look at anything.",
            next_step="Ask an administrator for the right, or give the bot's token the scope “read”.",
        )
    else:
        return
    access.audit(speaker.actor, f"chat.{verb.word}", f"chat user {speaker.user}", None, f"refused: {refusal}")
    raise refusal


def _kept(name: str, what: str) -> str:
    """A name of the chat's: it must be told from every other, so that none is cut or made readable."""
    if storable(name) != name or name != name.strip() or holds_secret(name):
        raise DrydockError(
            Code.INVALID,
            f"The {what} is no name that can be kept: it looks like a secret, or holds what can't be seen.",
            next_step="Send the id that the chat itself has for it.",
        )
    return name
