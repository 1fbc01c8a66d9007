"""Checks as list items: an icon with its word, what was asked, and why it came out so."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from functions_app.domain.changes.judgements import Judgement, Level, Remark
from functions_app.domain.images.lambda_rules import Check
from functions_app.web.html.escaped import known
from functions_app.web.html.icons import icon
from functions_app.web.html.looks import CheckOutcome, Look, PlanOutcome, look

OUTCOMES = {
    ("rule", True): CheckOutcome.RULE_HELD,
    ("rule", False): CheckOutcome.RULE_BROKEN,
    ("rule", None): CheckOutcome.RULE_UNCERTAIN,
    ("advice", True): CheckOutcome.ADVICE_FOLLOWED,
    ("advice", False): CheckOutcome.ADVICE_IGNORED,
    ("advice", None): CheckOutcome.ADVICE_UNCERTAIN,
    ("hint", None): CheckOutcome.HINT,
}
PLAN_OUTCOMES = {True: PlanOutcome.PASSED, None: PlanOutcome.DOUBTFUL, False: PlanOutcome.FORBIDDEN}
VERDICT = '<div class="verdict {}" role="status">{}<p><b>{}</b></p></div>'
CHECK = '<li><span class="{}">{}</span><span><b>{}.</b> {}</span></li>'


def check_line(check: Check) -> SafeString:
    """A check of an image."""
    return _line(look(CheckOutcome, OUTCOMES[check.kind, check.ok]), check)


def plan_check_line(check: Check) -> SafeString:
    """A check of a plan: one that fails forbids it, one that can't be decided is to be minded."""
    return _line(look(PlanOutcome, PLAN_OUTCOMES[check.ok]), check)


def remark_line(remark: Remark) -> SafeString:
    """Something in which a plan deviates, or that is to be minded."""
    like = look(Level, remark.level)
    return format_html(CHECK, like.colour, icon(like.icon, like.word), remark.name, remark.text)


def verdict_line(judgement: Judgement) -> SafeString:
    """The first line of a plan."""
    like = look(Level, judgement.level)
    return format_html(VERDICT, like.colour, icon(like.icon, like.word), judgement.verdict)


def _line(like: Look, check: Check) -> SafeString:
    return format_html(CHECK, known(like.colour), icon(like.icon, like.word), known(check.name), known(check.text))
