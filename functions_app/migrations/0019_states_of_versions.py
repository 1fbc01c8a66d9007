"""Every version has a state and an image URI of its own; those of $LATEST were the function's until now.

URIs of published versions were concluded from $LATEST's, and images from any repository that holds the digest: both are
forgotten where AWS did not say so, and read by the next sync. Three statements, whatever the fleet's size.
"""

from django.db import migrations, models
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Concat

LATEST = "$LATEST"
STATES = (
    "state", "state_reason", "state_reason_code", "last_update_status", "last_update_reason",
    "last_update_reason_code", "detailed_at",
)  # fmt: skip


def what_aws_said(apps, schema_editor):
    """Give $LATEST its state; forget what was concluded."""
    function, version, alias = (apps.get_model("functions_app", name) for name in ("Function", "Version", "Alias"))
    own = function.objects.filter(pk=OuterRef("function"))
    latest = version.objects.filter(number=LATEST, function__detailed_at__isnull=False)
    latest.update(**{name: Subquery(own.values(name)[:1]) for name in STATES})
    version.objects.exclude(number=LATEST).exclude(image_uri="").update(image_uri="")
    uri = F("image__repository__uri")
    fits = Q(function__image_uri=uri)
    for sign in (":", "@"):
        fits |= Q(function__image_uri__startswith=Concat(uri, Value(sign)))
    linked = version.objects.filter(image__isnull=False)
    linked.exclude(pk__in=linked.filter(fits).values("pk")).update(image=None)
    aliases = alias.objects.filter(function=OuterRef("pk"))
    elsewhere = function.objects.filter(Exists(aliases), ~Exists(aliases.filter(Q(version=LATEST))))
    elsewhere.update(state="", state_reason="", state_reason_code="")


class Migration(migrations.Migration):

    dependencies = [("functions_app", "0018_function_counts")]

    operations = [
        migrations.AddField(
            model_name='function',
            name='histories_from',
            field=models.DateTimeField(help_text="another function of this name was known before: what is older is not this one's", null=True),
        ),
        migrations.AddField(
            model_name='version',
            name='detail_problem',
            field=models.JSONField(help_text='why they could not be read the last time', null=True),
        ),
        migrations.AddField(
            model_name='version',
            name='detailed_at',
            field=models.DateTimeField(help_text='when the reading of these began; null: not known', null=True),
        ),
        migrations.AddField(
            model_name='version',
            name='last_update_reason',
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name='version',
            name='last_update_reason_code',
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name='version',
            name='last_update_status',
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name='version',
            name='state',
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name='version',
            name='state_reason',
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name='version',
            name='state_reason_code',
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AlterField(
            model_name='function',
            name='detailed_at',
            field=models.DateTimeField(help_text='of $LATEST: state, tags and image URI (GetFunction)', null=True),
        ),
        migrations.AlterField(
            model_name='version',
            name='image_uri',
            field=models.CharField(blank=True, help_text='as AWS gives it for this version; empty: GetFunction was not asked yet', max_length=600),
        ),
        migrations.RunPython(what_aws_said, migrations.RunPython.noop),
    ]
