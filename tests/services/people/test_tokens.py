"""Tokens of the API: whose they are, what they may, when they are over."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from functions_app import clock
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.tokens import Reach, TokenScope
from functions_app.models import Account, ApiToken, AuditEntry, ChatLink
from functions_app.services.people import access, living_tokens, tokens
from functions_app.services.people.actor import SHELL, Actor
from functions_app.services.people.tokens import Made, Wanted
from tests.factories import make_account

pytestmark = pytest.mark.django_db
ADDRESS = "203.0.113.7"


@pytest.fixture
def olga(operator: Actor) -> User:
    """An operator."""
    assert operator.person is not None
    return operator.person


@pytest.fixture
def vera(viewer: Actor) -> User:
    """A viewer."""
    assert viewer.person is not None
    return viewer.person


def make(person: User, *scopes: str, **more: object) -> Made:
    return tokens.make(Wanted("ci", scopes or ("read",), **more), Actor(person))  # type: ignore[arg-type]


def acts(made: Made, address: str = ADDRESS) -> Actor | None:
    known = living_tokens.recognise(made.text, address)
    return known[0] if known else None


class Test_a_token:
    def test_acts_for_its_person_through_its_scopes_and_is_named_beside_them(self, olga: User) -> None:
        actor = acts(make(olga, "read", "invoke"))
        assert actor is not None
        assert actor.person == olga
        assert actor.via == "token ci"
        assert actor.scopes == {TokenScope.READ, TokenScope.INVOKE}

    def test_is_stored_nowhere_and_told_once(self, olga: User) -> None:
        made = make(olga)
        kept = [str(row) for model in (ApiToken, AuditEntry) for row in model._default_manager.values()]
        assert made.text not in " ".join(kept)
        assert made.row.beginning == made.text[:8]

    def test_may_what_its_person_may_at_that_moment(self, olga: User) -> None:
        made = make(olga, "read", "invoke")
        before = acts(made)
        olga.groups.clear()
        after = acts(made)
        assert before is not None
        assert access.is_operator(before)
        assert after is not None
        assert not access.is_operator(after)
        assert not access.may_look(after)

    def test_lets_nobody_in_once_its_person_is_shut_out(self, olga: User) -> None:
        made = make(olga)
        User.objects.filter(pk=olga.pk).update(is_active=False)
        assert acts(made) is None

    def test_lets_nobody_in_once_it_is_over(self, olga: User) -> None:
        made = make(olga, days=1)
        ApiToken.objects.update(expires_at=clock.now() - timedelta(seconds=1))
        assert acts(made) is None

    def test_lets_nobody_in_once_it_is_revoked(self, olga: User) -> None:
        made = make(olga)
        tokens.revoke(made.row.pk, Actor(olga))
        assert acts(made) is None
        assert AuditEntry.objects.get(action="token.revoke").target == "token ci"

    def test_has_another_text_once_it_is_rotated_and_lives_as_long_again(self, olga: User) -> None:
        made = make(olga, days=30)
        ApiToken.objects.update(created_at=made.row.created_at - timedelta(days=29), expires_at=clock.now())
        ApiToken.objects.update(expires_at=clock.now() + timedelta(days=1))
        other = tokens.rotate(made.row.pk, Actor(olga))
        assert acts(made) is None
        assert acts(other) is not None
        for _ in range(2):
            other = tokens.rotate(other.row.pk, Actor(olga))
            assert timedelta(days=29) < other.row.expires_at - clock.now() < timedelta(days=31)

    def test_lives_no_longer_than_any_may_though_a_release_before_let_it(self, olga: User) -> None:
        made = make(olga, days=366)
        ApiToken.objects.update(expires_at=clock.now() + timedelta(days=3_000))
        assert tokens.rotate(made.row.pk, Actor(olga)).row.expires_at <= clock.now() + tokens.LONGEST

    def test_comes_from_its_networks_alone(self, olga: User) -> None:
        made = make(olga, networks="198.51.100.0/24")
        assert acts(made) is None
        assert acts(made, "198.51.100.9") is not None

    def test_is_noted_with_its_last_use_once_a_minute(self, olga: User) -> None:
        made = make(olga)
        acts(made)
        first = ApiToken.objects.get().used_at
        acts(made)
        assert (ApiToken.objects.get().used_at, ApiToken.objects.get().used_from) == (first, ADDRESS)

    def test_gets_to_the_accounts_and_functions_that_it_was_made_for(self, olga: User) -> None:
        account: Account = make_account()
        actor = acts(make(olga, accounts=[account.account_id], functions=["billing-*"]))
        assert actor is not None
        assert actor.reach == Reach(frozenset({account.account_id}), ("billing-*",))


class Test_making_one:
    @pytest.mark.parametrize(
        ("wanted", "said"),
        [
            (Wanted("", ["read"]), "needs a name"),
            (Wanted("ghp_0123456789abcdef0123456789abcdef", ["read"]), "needs a name"),
            (Wanted("ci", []), "needs a scope"),
            (Wanted("ci", ["root"]), "no scope root"),
            (Wanted("ci", ["read"], days=0), "lives 1 to 366 days"),
            (Wanted("ci", ["read"], days=9999), "lives 1 to 366 days"),
            (Wanted("ci", ["read"], accounts=["000000000000"]), "no account 000000000000"),
            (Wanted("ci", ["read"], accounts=[]), "no account at all"),
            (Wanted("ci", ["read"], functions=["a b"]), "Name 1 to 50"),
            (Wanted("ci", ["read"], functions=[]), "Name 1 to 50"),
            (Wanted("ci", ["read"], networks="nowhere"), "no network"),
        ],
    )
    def test_is_refused_where_it_would_be_none_and_that_is_audited(self, olga: User, wanted: Wanted, said: str) -> None:
        with pytest.raises(DrydockError, match=said):
            tokens.make(wanted, Actor(olga))
        assert not ApiToken.objects.exists()
        assert "refused" in AuditEntry.objects.get(action="token.make").result

    def test_takes_no_name_that_another_in_use_has(self, olga: User) -> None:
        first = make(olga)
        with pytest.raises(DrydockError, match="already"):
            make(olga)
        tokens.revoke(first.row.pk, Actor(olga))
        assert acts(make(olga)) is not None

    def test_for_somebody_else_is_for_the_shell(self, olga: User, vera: User, superuser: User) -> None:
        for person in (olga, superuser):
            with pytest.raises(DrydockError) as refused:
                tokens.make(Wanted("a", ["read"]), Actor(person), vera)
            assert refused.value.problem.code is Code.DENIED
        assert tokens.make(Wanted("c", ["read"]), Actor(None, SHELL, named="root"), vera).row.person == vera

    def test_through_a_token_gives_no_more_than_that_one_may(self, superuser: User) -> None:
        reader = acts(make(superuser, "read"))
        maker = acts(tokens.make(Wanted("maker", ["read", "admin"]), Actor(superuser)))
        assert reader is not None
        assert maker is not None
        for actor, scopes in ((reader, ["read"]), (maker, ["invoke"])):
            with pytest.raises(DrydockError, match="lacks the scope"):
                tokens.make(Wanted("more", scopes), actor)
        assert tokens.make(Wanted("more", ["read"]), maker).row.person == superuser

    def test_through_a_token_of_some_networks_gives_one_of_those_alone(self, olga: User) -> None:
        actor = acts(make(olga, "read", "admin", networks="203.0.113.0/24"))
        assert actor is not None
        for networks in ("", "0.0.0.0/0", "203.0.113.0/25 2001:db8::/32"):
            with pytest.raises(DrydockError, match="comes from"):
                tokens.make(Wanted("more", ["read"], networks=networks), actor)
        assert tokens.make(Wanted("more", ["read"], networks="203.0.113.7"), actor).row.networks == ["203.0.113.7/32"]

    def test_through_a_token_ends_no_later_than_that_one(self, olga: User) -> None:
        made = tokens.make(Wanted("maker", ["read", "admin"], days=2), Actor(olga))
        actor = acts(made)
        assert actor is not None
        assert tokens.make(Wanted("longer", ["read"]), actor).row.expires_at == made.row.expires_at
        assert tokens.make(Wanted("shorter", ["read"], days=1), actor).row.expires_at < made.row.expires_at
        sibling = make(olga, days=300)
        for pk in (sibling.row.pk, made.row.pk):
            assert tokens.rotate(pk, actor, made.row.pk).row.expires_at == made.row.expires_at

    def test_through_a_token_of_some_functions_gives_none(self, superuser: User) -> None:
        actor = acts(make(superuser, "read", "admin", functions=["billing-*"]))
        assert actor is not None
        with pytest.raises(DrydockError, match="makes or changes no other"):
            tokens.make(Wanted("more", ["read"]), actor)


class Test_others_tokens:
    def test_are_not_there_for_who_is_no_administrator(self, olga: User, vera: User, superuser: User) -> None:
        made = make(olga)
        for change in (tokens.rotate, tokens.revoke):
            with pytest.raises(DrydockError) as refused:
                change(made.row.pk, Actor(vera))
            assert refused.value.problem.code is Code.NOT_FOUND
        assert [row.pk for row in tokens.listed(Actor(vera)).rows] == []
        assert [row.pk for row in tokens.listed(Actor(superuser)).rows] == [made.row.pk]

    def test_texts_are_shown_to_no_administrator_who_may_revoke_them(self, olga: User, superuser: User) -> None:
        made = make(olga)
        for actor in (Actor(superuser), acts(make(superuser, "read", "admin"))):
            assert actor is not None
            with pytest.raises(DrydockError, match="acts for olga, and nobody else is shown its text"):
                tokens.rotate(made.row.pk, actor)
        assert acts(made) is not None
        assert "refused" in AuditEntry.objects.filter(action="token.rotate")[0].result
        tokens.revoke(made.row.pk, Actor(superuser))
        assert acts(made) is None

    @pytest.mark.parametrize(
        "limits", [{"accounts": ["111111111111"]}, {"functions": ["billing-*"]}, {"networks": "203.0.113.0/24"}]
    )
    @pytest.mark.parametrize("owner", ["olga", "superuser"])
    def test_of_ones_own_are_not_rotated_by_one_that_gets_less_far(
        self, request: pytest.FixtureRequest, owner: str, limits: dict[str, object]
    ) -> None:
        make_account(account_id="111111111111")
        person = request.getfixturevalue(owner)
        sibling = make(person)
        limited = tokens.make(Wanted("limited", ["read", "admin"], **limits), Actor(person))  # type: ignore[arg-type]
        actor = acts(limited)
        assert actor is not None
        with pytest.raises(DrydockError) as refused:
            tokens.rotate(sibling.row.pk, actor, limited.row.pk)
        assert refused.value.problem.code is Code.DENIED
        assert acts(sibling) is not None
        assert acts(tokens.rotate(limited.row.pk, actor, limited.row.pk)) is not None

    def test_of_ones_own_are_not_changed_by_a_token_that_may_less(self, olga: User) -> None:
        strong = tokens.make(Wanted("strong", ["read", "deploy:prod"]), Actor(olga))
        weak = make(olga)
        actor = acts(weak)
        assert actor is not None
        with pytest.raises(DrydockError, match="lacks the scope"):
            tokens.rotate(strong.row.pk, actor, weak.row.pk)
        assert acts(tokens.rotate(weak.row.pk, actor, weak.row.pk)) is not None


def test_an_operators_token_to_look_alone_is_told_what_it_lacks_and_that_its_owner_may(olga: User) -> None:
    reader = acts(make(olga, "read"))
    assert reader is not None
    with pytest.raises(DrydockError, match="made to look alone; its owner may do this"):
        access.require_operator(reader, "sync.start", "all")
    with pytest.raises(DrydockError, match="lacks the scope invoke"):
        access.require_operator_with(reader, {TokenScope.INVOKE}, "invocation.start", "app")
    told = set(AuditEntry.objects.filter(actor=olga).values_list("result", flat=True))
    assert not any("not an operator" in result or "Only operators" in result for result in told)


class Test_what_somebody_asked_through_a_token:
    def test_is_worth_nothing_once_its_text_is_another(self, olga: User) -> None:
        made = make(olga)
        before = clock.now()
        assert living_tokens.lives(olga, "token ci", before)
        tokens.rotate(made.row.pk, Actor(olga))
        assert not living_tokens.lives(olga, "token ci", before)
        assert living_tokens.lives(olga, "token ci", clock.now())

    def test_in_a_chat_is_so_once_its_bots_text_is_another(self, olga: User, vera: User) -> None:
        bot = make(vera)
        ChatLink.objects.create(token=bot.row, chat_user="U1", person=olga, since=bot.row.created_at)
        before = clock.now()
        assert living_tokens.lives(olga, "chat ci in #ops", before)
        tokens.rotate(bot.row.pk, Actor(vera))
        assert not living_tokens.lives(olga, "chat ci in #ops", before)
