"""Has the rules look whose tag was pushed, or was found moved by a sync: an event may have been lost."""

from datetime import datetime

from django.db.models import Exists, OuterRef

from functions_app.domain.images.ecr_events import EcrEvent
from functions_app.models import PushRule, Tag


def pushed(event: EcrEvent, now: datetime) -> int:
    """Have the rules of a tag look at it; how many. What it names now they ask ECR, since an event may be late."""
    rules = PushRule.objects.filter(stopped_at=None, repository__name=event.repository, tag=event.tag)
    owner = {"repository__account__account_id": event.account_id, "repository__region": event.region}
    return rules.filter(**owner).update(wanted_at=now, tries=0)


def moved(now: datetime) -> int:
    """The same for every tag that the snapshot has elsewhere than its rule carried out last. One query."""
    tags = Tag.objects.filter(repository=OuterRef("repository"), name=OuterRef("tag"))
    elsewhere = Exists(tags.exclude(digest=OuterRef("digest")))
    return PushRule.objects.filter(elsewhere, stopped_at=None, wanted_at=None).update(wanted_at=now)
