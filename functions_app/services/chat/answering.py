"""What is answered to what is said in a chat: each verb's service."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from functions_app.domain.bases.freshness import Freshness
from functions_app.domain.chat.grammar import Word
from functions_app.domain.chat.reading import Command, read
from functions_app.domain.chat.words import help_line, help_lines
from functions_app.services.chat import changes, fleet, links, runs, two_turns
from functions_app.services.chat.replies import Reply
from functions_app.services.chat.speakers import Speaker, require_right


@dataclass(frozen=True)
class Said:
    """A command as somebody said it. `plan_id`: of the plan it makes; the same where the same message comes again."""

    speaker: Speaker
    command: Command
    plan_id: UUID

    def __getitem__(self, place: str) -> str:
        return self.command.word(place)


def answer(speaker: Speaker, text: str, plan_id: UUID) -> Reply:
    """Do what is said, and tell what came of it. Raises what the verb's service raises, INVALID for what is no command,
    DENIED for who may not.
    """
    command = read(text)
    if command.verb.word is not Word.LINK:
        require_right(speaker, command.verb)
    return _ANSWERS[command.verb.word](Said(speaker, command, plan_id))


def _help(said: Said) -> Reply:
    lines = help_lines(said["COMMAND"])
    return Reply(lines[0] if said["COMMAND"] else help_line(), lines=lines)


def _link(said: Said) -> Reply:
    speaker = said.speaker
    row = links.link(speaker.token, speaker.user, said["CODE"], speaker.actor.via)
    told = f"You are {row.person.get_username()} here from now on: you may what they may, within this bot's token."
    return Reply(told, ("chat",))


def _approve(said: Said) -> Reply:
    what = said["CODE|RUN"]
    if what.isascii() and what.isdecimal():
        return runs.go_on(said.speaker, what)
    return two_turns.second(what, said["TICKS"], said.speaker.actor)


_ANSWERS: Mapping[Word, Callable[[Said], Reply]] = {
    Word.LIST: lambda said: fleet.list_functions(said.speaker, said["WORDS"]),
    Word.SHOW: lambda said: fleet.show(said.speaker, said["NAME"]),
    Word.STALE: lambda said: fleet.list_functions(said.speaker, said["WORDS"], (Freshness.STALE.value,)),
    Word.WHY: lambda said: fleet.why(said.speaker, said["NAME"]),
    Word.DIFF: lambda said: fleet.diff(said.speaker, said["NAME"]),
    Word.DEPLOY: lambda said: changes.deploy(said.speaker, said["NAME"], said["IMAGE"], said["ALIAS"], said.plan_id),
    Word.PATCH: lambda said: changes.patch(said.speaker, said["NAME"], said["ALIAS"], said.plan_id),
    Word.ROLLBACK: lambda said: changes.roll_back(
        said.speaker, said["NAME"], said["ALIAS"], said["VERSION"], said.plan_id
    ),
    Word.UNDO: lambda said: changes.undo(said.speaker, said["RUN|NAME"], said.plan_id),
    Word.INVOKE: lambda said: changes.invoke(said.speaker, said["NAME"], said["PAYLOAD"], said.plan_id),
    Word.STATUS: lambda said: runs.status(said.speaker, said["RUN"]),
    Word.LOGS: lambda said: runs.logs(said.speaker, said["RUN"]),
    Word.RUNS: lambda said: runs.list_runs(said.speaker, said["STATUS"]),
    Word.CANCEL: lambda said: runs.cancel(said.speaker, said["RUN"], said["REASON"]),
    Word.APPROVE: _approve,
    Word.HELP: _help,
    Word.LINK: _link,
}
