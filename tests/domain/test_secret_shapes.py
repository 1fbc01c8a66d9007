"""Each shape of a secret from both sides: the secret goes, what only looks like it stays, so that causes are read."""

import json

import pytest

from functions_app.domain.redaction import clean_lines, redact, redact_value
from functions_app.domain.secret_shapes import MASK, SHAPES

S = "hunter2hunter2Hunter2"  # stands for a secret, and is in none of the texts that stay
KEY = "MIIEpAIBAAKCAQEA7bq98Yt5rGZ0xN1kLm2PqRsTuVwXyZaBcDeFgHiJkLmNoPqR"

EXAMPLES: dict[str, tuple[list[str], list[str]]] = {
    "private key": (
        [f"-----BEGIN PRIVATE KEY-----\n{S}\n-----END PRIVATE KEY-----", f"-----BEGIN EC PRIVATE KEY-----\\n{S}"],
        ["-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----"],
    ),
    "a line of a private key": (
        [KEY, f"  {KEY}=="],
        ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", f"the key {KEY[:20]} has expired"],
    ),
    "an Authorization header of several parts": (
        [
            f'{{"Authorization": "AWS4-HMAC-SHA256 Credential=AKIA1/x, Signature={S}"}}',
            f'Authorization: Digest username="a", realm="b", response="{S}"',
        ],
        ["Authorization failed: the digest of the image is unknown"],
    ),
    "an Authorization header": (
        [f"Authorization: {S}", f"{{'authorization': ['Token {S}']}}", f"authorization=Bearer {S}"],
        ["the Authorization header is missing", "authorization took 3 ms"],
    ),
    "bearer and basic": ([f"sent with bearer {S}"], ["a basic check", "bearer of bad news"]),
    "cookies": ([f"Set-Cookie: session={S}; Path=/", f"cookie={S}"], ["3 cookies were set"]),
    "signed URLs": (
        [f"https://b.s3.amazonaws.com/k?X-Amz-Signature={S}&X-Amz-Date=1", f"https://x/api?a=1&code={S}"],
        ["https://example.com/path?page=2&sort=name&X-Amz-Date=2026"],
    ),
    "webhooks": (
        [f"https://hooks.slack.com/services/T0/B0/{S}", f"POST https://discord.com/api/webhooks/1/{S} 404"],
        ["https://slack.com/help", "see https://api.slack.com/messaging/webhooks"],
    ),
    "JSON Web Tokens": ([f"with eyJhbGciOiJIUzI1NiJ9.{S}.{S}"], ["eyJ is how they begin"]),
    "vendors' tokens": (
        [
            f"sk_live_{S}", f"sk-{S}", f"sk-ant-api03-{S}", f"rk_test_{S}", f"ghp_{S}", f"github_pat_{S}", f"xoxb-{S}",
            f"glpat-{S}", f"npm_{S}", f"AIza{S}{S}", f"SG.{S}.{S}", f"hvs.{S}", f"GOCSPX-{S}", f"123456789:AA{S}{S}",
            f"ddk_{S}",
        ],
        ["sk_buff", "ask-me-anything-about-this-and-that", "pypi-server", "task-list-of-the-whole-department"],
    ),
    "AWS access key ids": (["AKIAIOSFODNN7HUNTER2"], ["AKIA", "AROAEXAMPLEID"]),
    "AWS session tokens": ([f"IQoJ{S * 4}"], ["IQoJb3"]),
    "passwords in URLs": (
        [f"postgres://app:{S}@db:5432/app", f"postgres://app:p@{S}@db/app", f"redis://:{S}@cache"],
        ["postgres://db:5432/app", "mail to ops@example.com: done"],
    ),
    "tokens in URLs": ([f"https://{S}@github.com/a/b"], ["https://ops@example.com/a", "https://registry.example.com/a@1"]),
    "Oracle's connection strings": ([f"jdbc:oracle:thin:scott/{S}@//db:1521/x"], ["jdbc:oracle:thin:@//db:1521/x"]),
    "an element of XML": (
        [f"<Password>{S}</Password>", f'<ns:clientSecret type="x"><![CDATA[{S}]]></ns:clientSecret>'],
        ["<password/>", "<name>orders</name>", "<passwordPolicy>strict</passwordPolicy>"],
    ),
    "a name and its value apart": (
        [f'{{"name": "DB_PASSWORD", "value": "{S}"}}', rf'{{\"Key\": \"api_key\", \"Value\": \"{S}\"}}'],
        ['{"name": "DB_HOST", "value": "db.example.com"}'],
    ),
    "an option of a command": (
        [
            f"psql --password {S} -h db",
            f"tool -token '{S}'",
            f'["--db-password", "{S} {S}"]',
            f'CMD ["--token" "{S} {S}" "-v"]',
        ],
        ["docker login --password-stdin", "use --password to set it", "--token-file /run/token"],
    ),
    "a short option of a command": (
        [
            f"mysql -uroot -p{S} db", f"curl -u me:{S} https://x", f"docker login -u me -p {S}", f"sshpass -p {S} ssh",
            f"curl -sume:{S} https://x", f"curl -su me:{S} https://x", f"curl --user=me:{S}",
            f"curl -u 'me:{S} and {S}' https://x",
            f"sshpass -p{S} ssh",
            f"podman login -p {S} quay.io", f"docker login -p '{S} {S}' x", f"helm registry login -u a -p {S} r",
            f'["mysql", "-uroot", "-p{S}", "db"]', f'["docker", "login", "-u", "me", "-p", "{S} {S}"]',
            f"redis-cli -h cache -a {S} ping", f"sqlcmd -S db -U sa -P {S}", f"ldapsearch -D cn=a -w {S} -b dc=x",
            f"zip -r -P {S} out.zip in", f"unzip -P {S} in.zip", f"7z x -p{S} in.7z", f"ssh-keygen -t rsa -N {S} -f k",
            f"skopeo copy --src-creds me:{S} docker://a docker://b",
        ],
        [
            "mkdir -p /var/task", "cp -p a b", "mysqldump -h db --single-transaction", "mysql -uroot -h db -P 3306 -p",
            "docker run -p 8080:80 x", "docker login -u me --password-stdin", "sshpass -e ssh -p 2222 host",
            "redis-cli -h cache -p 6379", "htpasswd -c .htpasswd ann", "htpasswd -nB ann", "zip -r out.zip in",
            "openssl enc -aes256 -in a -out b -pass file:/run/key", "openssl rsa -passin env:KEY -in k.pem",
        ],
    ),
    "arguments of htpasswd": (
        [f"htpasswd -b .htpasswd ann {S}", f"htpasswd -cbB -C 12 f ann '{S}'", f"RUN htpasswd -nb ann {S} > f",
         f'["htpasswd", "-bc", "/etc/f", "ann", "{S} and {S}"]'],
        ["htpasswd -B /etc/f ann", "htpasswd -nB ann", "htpasswd: cannot create file /etc/htpasswd"],
    ),
    "pass phrases of openssl": (
        [f"openssl rsa -passin pass:{S} -in k.pem", f"-passout 'pass:{S} {S}'", f"openssl enc -pass pass:{S}",
         f'["openssl", "-passin", "pass:{S}"]', f"--passin=pass:{S}"],
        ["openssl rsa -passin file:/run/key", "-passout stdin", "Test pass: 12 of 12", "pass:fail ratio"],
    ),
    "a short option in a list": (
        [f'CMD ["curl", "-u", "me:{S} and more {S}", "https://x"]', f"CMD ['--proxy-user' 'me:{S}']"],
        ['["python", "-u", "app.py"]', '["curl", "-u", "https://x"]'],
    ),
    "SQL and netrc": (
        [f"CREATE USER a IDENTIFIED BY '{S}'", f"ALTER ROLE a WITH PASSWORD '{S}'", f"machine x login y password {S}"],
        ["identified 3 images", "the password was changed"],
    ),
    "a registry's login": ([f'{{"auths":{{"x":{{"auth":"{S}"}}}}}}'], ['{"auth": "none"}', "auth: off"]),
    "a value behind its name": (
        [
            f"password={S}", f"DB_PASS={S}", f"token: {S}", f"secret => '{S}'", f'{{"SecretString": "{S}"}}',
            rf'"{{\"password\": \"{S}\"}}"', rf'{{\\\"password\\\": \\\"{S}\\\"}}', f'passwords=["a", "{S}"]',
            f"password=b'{S}'", f"password=SecretStr('{S}')", f"Server=x;Password={S};Encrypt=yes",
            f"HMAC_KEY={S}", f"sessionid={S}", f'{{"jwt": "{S}"}}', f"otp={S}",
            f"%22password%22%3A%22{S}%22", f'password="{S}', f"Invalid token: {S}", f'"api_keys": {{"a": "{S}"}}',
            f"SharedAccessKey={S}=;EntityPath=x", f"PGPASSWORD={S} psql", f"&quot;password&quot;:&quot;{S}&quot;",
            f"token:\napi_key: {S}", f'secret: "db_password": "{S}"', f"password='a'{S}", f'api_key:"secret"="{S}',
            f"authorization:\npassword: {S}", f"Bearer\nclient_secret='{S}'", f"salt={S}", f'"passwordSalt": "{S}"',
            f"PASSWORD_SALT: {S}", f"keytool -storepass {S}", f"dbpass={S}", f"mnemonic='{S} {S}'",
            f"recovery_codes=['{S}']", f"pepper={S}",
        ],
        [
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
            "Invalid token: unexpected end of input at line 3",
            "SyntaxError: Invalid token: '<' at line 3",
            "password: This field is required.",
            "Credentials: none found",
            "secret: not found",
            "token: null",
            '{"password": "", "n": 1}',
            "max_tokens=500",
            "PASS: 3 FAIL: 1",
            "took 3 tokens from the bucket", "salted=3 hashes", "basalt: grey", "salt_rounds=12", "salt://top.sls",
            "bypass=1", "compass: north", "peppermint: 3",
        ],
    ),
    "a value behind its name elsewhere": (
        [f"пароль={S}", f'{{"密码": "{S}"}}', f"senha: {S}"],
        ["пароль: не указан", "a resenha: boa", "密码错误"],
    ),
    "a PIN": (
        ["pin=4821", "userPin: 4821", '{"card_pin": "482193"}', "PIN: '4821'", "--pin 4821", "cvv=482",
         '["--pin", "4821"]', "pin_code = 4821", "ＰＩＮ：４８２１"],
        ["GPIO pin 7 high", "pin=7", "pin: 13", "spin=4821", "pinned: 4821", "mapping=48211", "pin: python==3.11",
         "pins=48211", "pinning to 4821", "the pin is wrong"],
    ),
    "a bare AWS secret key": (
        ["secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYHUNTER2KEY."],
        ["commit da39a3ee5e6b4b0d3255bfef95601890afd80709"],
    ),
}  # fmt: skip


def test_every_shape_has_examples_of_both_sides() -> None:
    assert list(EXAMPLES) == [shape.name for shape in SHAPES]
    assert all(hidden and kept for hidden, kept in EXAMPLES.values())


@pytest.mark.parametrize("shape", EXAMPLES)
def test_what_has_it_is_hidden(shape: str) -> None:
    for text in EXAMPLES[shape][0]:
        shown = redact(text)
        assert MASK in shown
        assert not any(secret in shown for secret in (S, S.upper(), KEY[:20], "HUNTER2", "482", "４８２")), shown
        assert redact(shown) == shown


@pytest.mark.parametrize("shape", EXAMPLES)
def test_what_has_it_is_hidden_within_json_too_and_in_json_that_json_holds(shape: str) -> None:
    for text in EXAMPLES[shape][0]:
        within = {"statusCode": 200, "note": "kept", "body": text}
        for given in (json.dumps(within), json.dumps(within, indent=2), json.dumps({"body": json.dumps(within)})):
            shown = redact(given)
            assert not any(secret in shown for secret in (S, S.upper(), KEY[:20], "HUNTER2")), shown
            assert "kept" in shown


@pytest.mark.parametrize("shape", EXAMPLES)
def test_what_only_looks_like_it_stays(shape: str) -> None:
    for text in EXAMPLES[shape][1]:
        assert redact(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "пароль", "ПАРОЛЬ", "БД_пароль", "секрет", "токен", "密码", "密碼", "口令", "密钥", "パスワード", "秘密鍵",
        "비밀번호", "암호", "كلمة المرور", "סיסמה", "पासवर्ड", "κωδικός", "รหัสผ่าน", "mật khẩu", "passwort", "Kennwort",
        "mot_de_passe", "motDePasse", "contraseña", "CONTRASEN\u0303A", "senha", "db_senha", "hasło", "heslo", "şifre",
        "lösenord", "wachtwoord", "salasana", "jelszó", "parola",
    ],
)  # fmt: skip
def test_a_password_is_called_so_in_many_languages(name: str) -> None:
    for text in (f"{name}={S}", f'"{name}": "{S}"', f"{name}：{S}", f"--{name.replace(' ', '-')} {S}"):
        assert S not in redact(text), text
    assert redact_value({name: S}) == {name: MASK}


@pytest.mark.parametrize(
    "text",
    [
        "раsswоrd={S}",  # Cyrillic р, а and о
        "ρassword: {S}",  # Greek rho
        "ｐａｓｓｗｏｒｄ＝{S}", "ＤＢ＿ＰＡＳＳＷＯＲＤ＝{S}", "𝗽𝗮𝘀𝘀𝘄𝗼𝗿𝗱={S}", "ⓢⓔⓒⓡⓔⓣ={S}",
        "pásswörd={S}", "pa\u0301ssword={S}", "p\u0337assword={S}", "ѕecret={S}", "арі_kеу={S}", "tоken“={S}",
        "password：“{S} {S}”",
        "ｓｋ_live_{S}",
    ],
)  # fmt: skip
def test_letters_that_look_like_others_hide_no_name(text: str) -> None:
    assert S not in redact(text.format(S=S))


def test_of_a_text_in_another_script_only_the_secret_is_replaced() -> None:
    assert redact(f"Ошибка входа: пользователь=анна, пароль={S}, попыток ３") == (
        f"Ошибка входа: пользователь=анна, пароль={MASK}, попыток ３"
    )
    assert redact(f"连接失败：用户＝ann 密码＝{S}") == f"连接失败：用户＝ann 密码＝{MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "пароль: не указан", "密码：不能为空", "密码错误", "Неверный пароль", "Passwort: falsch",
        "Das Kennwort ist abgelaufen",
        "mot de passe: incorrect", "contraseña: no válida", "a resenha: boa", "ﬁle “tokens” … ½ ™ Ⅷ ﬀ", "naïve café",
        "解析失败：第 3 行", "パスワードが違います",
    ],
)  # fmt: skip
def test_what_is_said_of_a_password_in_another_language_stays(text: str) -> None:
    assert redact(text) == text


def test_a_member_named_pin_is_hidden_where_its_value_is_one() -> None:
    given = {"pin": "4821", "userPin": 482193, "gpio_pin": 7, "spin": 4821, "pinned": "4821"}
    assert redact_value(given) == given | {"pin": MASK, "userPin": MASK}


def test_around_a_secret_the_rest_stays() -> None:
    assert redact(f"could not connect to db: password={S}, timeout=3") == (
        f"could not connect to db: password={MASK}, timeout=3"
    )
    assert redact(rf'"{{\"user\": \"ann\", \"password\": \"{S}\", \"port\": 1}}"') == (
        rf'"{{\"user\": \"ann\", \"password\": {MASK}, \"port\": 1}}"'
    )


def test_a_private_key_that_comes_line_by_line_is_hidden_in_each() -> None:
    lines = ["-----BEGIN RSA PRIVATE KEY-----", KEY, KEY[::-1]]
    assert [clean_lines(line) for line in lines] == [[MASK], [MASK], [MASK]]


def test_of_a_name_and_a_value_in_members_of_their_own_the_value_is_hidden() -> None:
    assert redact_value([{"Name": "DB_PASSWORD", "Value": "x"}, {"name": "HOST", "value": "db"}]) == [
        {"Name": "DB_PASSWORD", "Value": MASK},
        {"name": "HOST", "value": "db"},
    ]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        'password="',
        "<password>",
        '"name":"',
        "mysql ",
        "://a:",
        "\\",
        '"',
        "-u ",
        "password=[",
        "sk-a-",
        "A1g",
        "htpasswd -b ",
        "docker login ",
        "пароль=",
        "ｐ",
        "pin",
        "salt",
        "密码：“",
        "-pass pass:",
        "ssh-keygen ",
        "mot ",
        '"\\',
        '\\"',
        '"12345678\\a"',
    ],
)
def test_megabytes_of_anything_cost_time_in_proportion(piece: str) -> None:
    assert len(redact(piece * (1_000_000 // len(piece)))) <= 2_000_000


@pytest.mark.timeout(60)
@pytest.mark.parametrize("begins", ["authorization:", "authorization: [", "", "password", "cookie", "-u", "--token"])
def test_any_amount_of_white_space_after_any_beginning_costs_time_in_proportion(begins: str) -> None:
    for space in " \t\n":
        assert len(redact(begins + space * 500_000 + "\nnext")) <= 600_000
