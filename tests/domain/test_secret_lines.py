"""Several secrets behind one name, and secrets on the lines below it: in a text, and in a log's lines one by one."""

import json

import pytest

from functions_app.domain.redaction import LogLines, redact
from functions_app.domain.secret_shapes import MASK

S = "hunter2hunter2Hunter2"  # stands for a secret, and is in none of the texts that stay

EXAMPLES: dict[str, tuple[list[str], list[str]]] = {
    "a list of JSON or a program": (
        [
            f'"passwords": [\n  "a",\n  "{S}"\n]', f'secrets=["a",\n "{S}"]', f"tokens: ['a', '{S}']",
            f"tokens=(\n  a,\n  {S}\n)", f"TOKENS = frozenset({{\n    'a',\n    '{S}',\n}})",
            f"const tokens = new Set([\n  'a', // one\n  '{S}'\n]);", f"secrets := []string{{\n\t\"{S}\",\n}}",
            f'"apiKeys": [\n  [\n    "{S}"\n  ]\n]', f"credentials=[SecretStr('{S}')]",
        ],
        [
            "Invalid tokens: [3, 5]", "tokens: [101, 2054,\n 30522]", "secrets: []", "Loaded secrets: (see the docs)",
            "tokens = get(\nTraceback (most recent call last):\n  File \"a.py\", line 3",
            '"hosts": [\n  "a",\n  "b"\n]', "secrets = [\nstarting the server now\n]", "tokens = [\n[INFO] began\n",
        ],
    ),
    "a list with commas": (
        [
            f"API_KEYS=a;{S}", f"passwords = a, {S}", f"tokens=a,{S}", f'tokens="a","{S}"', f'passwords: "a", "{S}"',
            f"recovery_codes=a,b,{S}==", f"env API_TOKENS=a,{S} ./run", f"SECRETS='a','{S}'",
        ],
        [
            "max_tokens=500, temperature=0.5", "tokens: 500, cost: 3", "completion_tokens=12,total_tokens=15",
            "credentials: missing, user unknown", "secrets: none found, skipping", "keys: a, b", "tokens used: 3, 4",
            "tokens=12 from=a,b", 'secrets=found,level="info"', "hosts=a,b",
        ],
    ),
    "a list of YAML or INI": (
        [
            f"passwords:\n  - a\n  - {S}\nhost: db", f'passwords:\n- "{S} {S}"\n- b', f"tokens:\n- a\n- {S}",
            f'"secrets":\n    - {S}', f"password:\n  - {S}", f"passwords =\n    a\n    {S}\nhost = db",
            f"tokens:\n  - a  # one\n\n  - {S}", f"api_keys:\n  - |\n    {S}\n",
        ],
        [
            "Missing tokens:\n - the first of them\n - another one", "tokens:\n  - 12\n  - 14",
            "Refreshed all tokens:\nTraceback (most recent call last):", "DB_PASSWORD=\nDB_HOST=db.example.com",
            "hosts:\n  - a\n  - b", "SyntaxError: Unexpected token:\n'<'",
        ],
    ),
    "a mapping": (
        [
            f"credentials:\n  user: ann\n  key: {S}\nhost: db", f"tokens:\n  ci:\n    - {S}\n  cd: {S}\nhost: db",
            f'"credentials": {{\n  "user": "ann",\n  "key": "{S}"\n}}', f"secrets:\n- name: ci\n  value: {S}",
            f'"tokens": [\n  {{\n    "name": "ci",\n    "value": "{S}"\n  }}\n]', f"tokens = dict(\n  ci='{S}',\n)",
            f"secrets:\n  db:\n    password: |\n      {S}\n  smtp: {S}",
        ],
        [
            "secrets:\n  - source: db\n    target: /x",
            "secrets:\n  db:\n    external: true\n  cert:\n    file: ./a.pem",
            "secret:\n  secretName: tls\n  defaultMode: 420", "credentials:\n  user: ann\n  expires_at: 2026-01-01",
            '"tokens": {\n  "prompt": 12,\n  "total": 20\n}', "hosts:\n  a: b",
        ],
    ),
    "a text of several lines": (
        [
            f"password: |\n  {S}\nhost: db", f"api_key: >-\n  a\n  {S}\n\n  {S}", f"token: !vault |\n  {S}",
            f"users:\n  - login: a\n    password: |-\n      {S}\n      {S}\n    host: b",
            f"<password>\n  {S}\n</password>",
        ],
        ["Unexpected token: |\n  at ship (app.js:1)", "note: |\n  a\n  b", "usage: login <password>\n  then wait"],
    ),
    "a value below its name": (
        [
            f"token:\n{S}", f"API token:\n  {S}\ndone", f"- name: DB_PASSWORD\n  value: {S}\n- name: HOST\n  value: db",
            f'"name": "DB_PASSWORD",\n"value": "{S}"',
        ],
        ["- name: HOST\n  value: db", "name: token\nvalue: null", "Enter the token:\nthis is not one"],
    ),
    "a private key": (
        [
            f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{S}\n{S}=\n-----END RSA PRIVATE KEY-----",
            f"key: -----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n{S}",
        ],
        ["-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----"],
    ),
    "an item": (
        [
            f"passwords[0]={S}", f'environ["DB_PASSWORD"] = "{S}"', f"password[] = {S}", f'if token == "{S}":',
            f"secret === '{S}'",
        ],
        ["passwords[0] is missing", "if token == None:", "tokens[0]=12"],
    ),
}  # fmt: skip
HIDDEN = [text for hidden, _ in EXAMPLES.values() for text in hidden]


def line_by_line(text: str) -> str:
    """As a log has it whose lines come one by one."""
    log = LogLines()
    return "\n".join(shown for line in text.split("\n") for shown in log.clean(line))


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_has_it_is_hidden(kind: str) -> None:
    for text in EXAMPLES[kind][0]:
        shown = redact(text)
        assert MASK in shown
        assert S not in shown, shown
        assert redact(shown) == shown


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_has_it_is_hidden_where_it_comes_line_by_line(kind: str) -> None:
    for text in EXAMPLES[kind][0]:
        shown = line_by_line(text)
        assert S not in shown, shown
        assert shown.count("\n") == text.count("\n")


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_has_it_is_hidden_within_json_too_and_in_json_that_json_holds(kind: str) -> None:
    for text in EXAMPLES[kind][0]:
        within = {"statusCode": 200, "note": "kept", "body": text}
        for given in (json.dumps(within), json.dumps(within, indent=2), json.dumps({"body": json.dumps(within)})):
            shown = redact(given)
            assert S not in shown, shown
            assert "kept" in shown


@pytest.mark.parametrize("kind", EXAMPLES)
def test_what_only_looks_like_it_stays(kind: str) -> None:
    for text in EXAMPLES[kind][1]:
        assert redact(text) == text
        assert line_by_line(text) == text


def test_around_them_all_is_told() -> None:
    text = f'{{\n  "host": "db",\n  "passwords": [\n    "{S}",\n    "b"\n  ],\n  "port": 1\n}}\nKeyError: orders'
    shown = f'{{\n  "host": "db",\n  "passwords": [\n    {MASK},\n    {MASK}\n  ],\n  "port": 1\n}}\nKeyError: orders'
    assert (redact(text), line_by_line(text)) == (shown, shown)
    text = f"users:\n- name: ann\n  tokens:\n  - {S}\n  groups:\n  - ops\nerror: no such group"
    shown = text.replace(S, MASK)
    assert (redact(text), line_by_line(text)) == (shown, shown)


def test_after_a_key_or_a_list_without_an_end_the_cause_is_told() -> None:
    cause = ["RuntimeError: the key is not valid", "done"]
    for opening in ("-----BEGIN PRIVATE KEY-----", "passwords = [", "password: |", "tokens:", "<password>"):
        assert line_by_line("\n".join([opening, *cause])).split("\n")[1:] == cause


def test_lines_of_an_endless_list_are_hidden_one_by_one() -> None:
    log = LogLines()
    log.clean("passwords = [")
    assert all(log.clean(f"  '{S}{number}',") == [f"  {MASK},"] for number in range(1_000))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    [
        "passwords=a,", "tokens: |\n ", 'tokens=["', "tokens:\n- ", "tokens=[a b ", "secrets=['\",", "keys={",
        "tokens:\n ",
        "passwords:\n" + " " * 200, "tokens=[(", "x=", "token:", "=a==,", "<password>\n", '"name": "token"\n',
        "keys: new ",
        "tokens: '", "secrets=\\",
    ],
)  # fmt: skip
def test_megabytes_of_lists_without_end_cost_time_in_proportion(piece: str) -> None:
    assert len(redact(piece * (100_000 // len(piece)))) <= 600_000
