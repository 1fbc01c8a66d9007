"""Chat: links of chat users with people, and codes."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('functions_app', '0035_events'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ChatLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('chat_user', models.CharField(max_length=100)),
                ('since', models.DateTimeField()),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='chat_links', to=settings.AUTH_USER_MODEL)),
                ('token', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='links', to='functions_app.apitoken')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('token', 'chat_user'), name='one_person_of_a_chat_user')],
            },
        ),
        migrations.CreateModel(
            name='LinkCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code_hash', models.CharField(help_text="HMAC with the server's key; kept nowhere else", max_length=64, unique=True)),
                ('made_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('person', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='PlanCode',
            fields=[
                ('code', models.CharField(max_length=8, primary_key=True, serialize=False)),
                ('plan', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='functions_app.plan')),
            ],
        ),
    ]
