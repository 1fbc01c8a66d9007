"""Approvals: the setting of an account, and on a plan who asked, who decided, and why."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('functions_app', '0033_patched_releases'),
    ]

    operations = [
        migrations.AddField(
            model_name='account',
            name='approval',
            field=models.CharField(choices=[('never', 'never'), ('bots', 'for bots'), ('always', 'always')], default='bots', help_text='whose changes of those an approver has to agree to', max_length=10),
        ),
        migrations.AlterField(
            model_name='plan',
            name='approval_asked',
            field=models.BooleanField(default=False, help_text='an approver has to agree, who is not its maker'),
        ),
        migrations.AddField(
            model_name='plan',
            name='via',
            field=models.CharField(default='browser', help_text='what its maker came through: Actor.via', max_length=80),
        ),
        migrations.AddField(
            model_name='plan',
            name='asked_at',
            field=models.DateTimeField(help_text='when its maker confirmed it, and asked for an approval', null=True),
        ),
        migrations.AddField(
            model_name='plan',
            name='rejected_at',
            field=models.DateTimeField(help_text='by an approver, or withdrawn by its maker', null=True),
        ),
        migrations.AddField(
            model_name='plan',
            name='decided_by',
            field=models.CharField(blank=True, help_text='who approved or rejected it, and via what', max_length=240),
        ),
        migrations.AddField(
            model_name='plan',
            name='reason',
            field=models.CharField(blank=True, help_text='why it was rejected', max_length=300),
        ),
    ]
