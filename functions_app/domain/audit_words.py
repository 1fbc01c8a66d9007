"""The audit in words: for each action that is recorded what somebody did, or tried to do. The one table of them."""

from collections.abc import Mapping

from functions_app.domain.chat.grammar import Word
from functions_app.domain.runs import Kind, SignalKind, Status

SIGN_INS = ("login", "login.refused", "logout")
WITH_ADDRESSES = (*SIGN_INS, "session.end")  # their targets name where somebody sits

_NOUNS: Mapping[Kind, str] = {
    Kind.SYNC: "a sync",
    Kind.BASE_POLL: "a base poll",
    Kind.DEPLOYMENT: "a deployment",
    Kind.ROLLBACK: "a rollback",
    Kind.INVOCATION: "an invocation",
    Kind.READ_FILES: "a reading of files",
    Kind.FORECAST: "a lifecycle forecast",
    Kind.PATCH: "a patch",
    Kind.UNDO: "an undo",
    Kind.PATCH_LIST: "a list of patches",
}
_PLANS: Mapping[str, str] = {
    "plan": "Planned {}",
    "start": "Started {}",
    "submit": "Started {}",
    "apply": "Confirmed {}",
    "ask": "Asked for the approval of {}",
    "approve": "Approved {}",
    "reject": "Rejected {}",
    Status.SUCCEEDED: "Finished {}",
    Status.FAILED: "Failed in {}",
    Status.CANCELLED: "Cancelled {}",
}
_SIGNALS: Mapping[SignalKind, str] = {
    SignalKind.CANCEL: "Asked a run to end",
    SignalKind.PAUSE: "Asked a run to pause",
    SignalKind.RESUME: "Had a run go on",
    SignalKind.APPROVE: "Approved a run",
    SignalKind.PROMOTE: "Had a run go on at once",
    SignalKind.SKIP: "Had a run skip a step",
}
_OTHERS: Mapping[str, str] = {
    "login": "Signed in",
    "login.refused": "Tried to sign in",
    "logout": "Signed out",
    "session.end": "Ended a session",
    "session.end-all": "Ended all sessions",
    "password.change": "Changed their password",
    "password.reset": "Reset a password",
    "person.change": "Changed what somebody may do",
    "account.add": "Added an account",
    "account.change": "Changed an account",
    "token.make": "Made a token",
    "token.rotate": "Gave a token another text",
    "token.revoke": "Revoked a token",
    "chat.code": "Made a code to link a chat user",
    "chat.link": "Linked a chat user",
    "chat.link.refused": "Tried to link a chat user",
    "chat.unlink": "Unlinked a chat user",
    "stream.add": "Added a base image",
    "stream.edit": "Changed a base image",
    "stream.switch": "Switched the watching of a base image",
    "freshness_policy.add": "Added a rule of freshness",
    "freshness_policy.change": "Changed a rule of freshness",
    "freshness_policy.save": "Saved a rule of freshness",
    "freshness_policy.delete": "Deleted a rule of freshness",
    "smoke.change": "Changed a smoke test",
    "selection.make": "Chose functions",
    "view.keep": "Saved a view",
    "view.share": "Shared a view, or no longer",
    "view.remove": "Deleted a view",
    "view.default": "Chose the view that their list opens with",
    "patch.rebuild": "Asked the pipeline for a new build",
    "push_rule.make": "Made a rule for pushes",
    "push_rule.remove": "Removed a rule for pushes",
    "push_rule.stop": "Stopped a rule for pushes",
    "scan.read": "Read the scan of an image",
    "configuration.compare": "Compared what two versions are configured to",
    "triggers.read": "Read what calls a function",
    "poll.start": "Started a base poll",
    "run.retry": "Asked for a run once more",
    "invocation.again": "Invoked again what was not executed",
    "doctor": "Asked whether all parts work",
    **{f"plan.{verb}": words.format("a plan") for verb, words in _PLANS.items()},
}
# What was sent by a form of a page to a door that is for operators: recorded by the door's name, where it was refused.
_DOORS: Mapping[str, str] = {
    "change": "Tried to change something",
    "sync": "Tried to start a sync",
    "base-poll": "Tried to start a base poll",
    "base-read-files": "Tried to have files read",
    "base-patch": "Tried to plan a list of patches",
    "policy-delete": "Tried to delete a rule of freshness",
    "image-read-files": "Tried to have files read",
    "image-scan": "Tried to have a scan read",
    "repository-forecast": "Tried to start a lifecycle forecast",
    "selection-sync": "Tried to have selected functions read",
    "function-smoke": "Tried to change a smoke test",
    "function-deploy": "Tried to plan a deployment",
    "function-rollback": "Tried to plan a rollback",
    "function-patch": "Tried to plan a patch",
    "function-rebuild": "Tried to ask the pipeline for a new build",
    "function-configuration": "Tried to compare configurations",
    "function-triggers": "Tried to read what calls a function",
    "function-invoke": "Tried to invoke a function",
    "invoke-check": "Tried to check a payload",
    "run-invoke-again": "Tried to invoke a function again",
    "run-undo": "Tried to undo a patch",
    "run-retry": "Tried to have a run repeated",
    "push-rules": "Tried to make a rule for pushes",
    "push-rule-remove": "Tried to remove a rule for pushes",
    "plan-apply": "Tried to confirm a plan",
    "plan-approve": "Tried to approve a plan",
    "plan-reject": "Tried to reject a plan",
}
WORDS: Mapping[str, str] = {
    **{f"{kind}.{verb}": words.format(noun) for kind, noun in _NOUNS.items() for verb, words in _PLANS.items()},
    **{f"run.{signal}": words for signal, words in _SIGNALS.items()},
    **{f"chat.{word}": f"Said “{word}” in a chat" for word in Word},
    **_OTHERS,
    **_DOORS,
}
# Families of actions, by which the audit is filtered: what stands before the first point, or the door's name.
FAMILIES: Mapping[str, str] = {
    **{kind.value: kind.label for kind in Kind},
    "run": "What was asked of runs",
    "sign-in": "Sign-ins and sessions",
    "people": "People and tokens",
    "chat": "Chat",
    "settings": "Settings",
    "reading": "What was read",
    "tried": "Refused at a form",
}
_OF_FAMILY: Mapping[str, tuple[str, ...]] = {
    "sign-in": (*SIGN_INS, "session.", "password."),
    "people": ("person.", "account.", "token."),
    "settings": ("stream.", "freshness_policy.", "smoke.", "push_rule.", "doctor", "plan.", "view."),
    "reading": ("scan.", "configuration.", "triggers.", "poll.", "selection."),
    "tried": tuple(_DOORS),
}


def in_words(action: str) -> str:
    """What somebody did; an action that nobody knows any more as it was recorded."""
    return WORDS.get(action, action)


def actions_said(part: str) -> list[str]:
    """The actions whose words hold a part, in whatever case."""
    return [action for action, words in WORDS.items() if part.casefold() in words.casefold()]


def actions_of(family: str) -> tuple[str, ...]:
    """The actions of a family; one that ends in a point stands for all that begin like it."""
    return _OF_FAMILY.get(family, (f"{family}.",))


def without_address(action: str, target: str) -> str:
    """What was done something to, without the address from which somebody signed in."""
    if action in SIGN_INS:
        return target.partition(" from ")[0]
    return target.rpartition(" at ")[0] or target if action in WITH_ADDRESSES else target
