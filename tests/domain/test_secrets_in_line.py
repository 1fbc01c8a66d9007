"""Names of secrets one after another, with and without values: none takes away what another's is known by."""

import pytest

from functions_app.domain.redaction import redact
from functions_app.domain.secret_shapes import MASK

S = "hunter2hunter2"  # no digits and letters that any rule knows by themselves
WITHOUT_VALUE = (
    "password=", "passwords:", "DB_PASSWORD = ", "token: ", "authorization:", "authorization: ", "authorization=",
    "Authorization: Basic ", "proxy-authorization: Digest ", "cookie: ", "set-cookie:", "?sig=", "x-amz-signature=",
    "https://user:", "curl -u me:", "--password ", "identified by ", "-pass pass:", "pin: ", "<password>", "пароль=",
    "tokens=[", "sshpass -p ", '"password": ', "'api_key' =>", "password: required:",
)  # fmt: skip
ENDS = ("", " ", "\n", "\n  ", "\n- ", "\n\n", ", ", "; ", " [", " {", "\t", ": ", "=")
WITH_VALUE = (
    'passwords=["a", "{}"]', "password: {}", '"password": "{}"', "'api_key' = '{}'", "SECRET_ACCESS_KEY={}",
    "Authorization: {}", "authorization=Basic {}", "Authorization: Bearer {}", "Cookie: session={}", "bearer {}",
    "https://user:{}@host/", "?sig={}", "client_secret='{}'", 'token="a b\\"{}"', '{{"token":"{}"}}', "private-key: {}",
    "<db:Password>{}</db:Password>", "psql --password {} -h db", "mysql -uroot -p{} db", "curl -u me:{} https://h",
    "IDENTIFIED BY '{}'", "-passin pass:{} -in k", "htpasswd -b f ann {}", '["--db-password", "{}"]',
    "passwords=({} b)", "%22password%22%3A%22{}%22", "&quot;password&quot;:&quot;{}&quot;", "пароль={}",
    "password=SecretStr('{}')",
)  # fmt: skip


@pytest.mark.parametrize("first", WITHOUT_VALUE)
def test_a_name_without_a_value_before_a_secret_does_not_let_it_through(first: str) -> None:
    for end in ENDS:
        for second in WITH_VALUE:
            text = f"{first}{end}{second.format(S)}"
            if not text.startswith((f"{first}mysql", f"{first}htpasswd", f"{first}Cookie", f"{first}IDENTIFIED")):
                shown = redact(text)
                assert S not in shown, text
                assert redact(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f'password=\npasswords=["a", "{S}"]', f"password=\npasswords={MASK}"),
        (f"password=\ntoken={S}", f"password=\ntoken={MASK}"),
        (f"authorization: password: {S}", f"authorization: {MASK} {MASK}"),
        (f"authorization:\nCookie: a={S}\nHost: db", f"authorization:\nCookie: {MASK}\nHost: db"),
        (f"password: required:token={S}, retries=3", f"password: required:token={MASK}, retries=3"),
        ("DB_PASSWORD=\nDB_HOST=db.example.com\nDB_PORT=5432", "DB_PASSWORD=\nDB_HOST=db.example.com\nDB_PORT=5432"),
        ("password: token: is missing", "password: token: is missing"),
        (f"password={S}\nKeyError: 'orders'", f"password={MASK}\nKeyError: 'orders'"),
    ],
)
def test_the_cause_around_names_stays_readable(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["password=password=", "password=[token=", 'cookie:cookie:"', 'password: "token=['])
def test_names_within_values_without_end_cost_time_in_proportion(piece: str) -> None:
    assert len(redact(piece * (1_000_000 // len(piece)))) <= 2_000_000
