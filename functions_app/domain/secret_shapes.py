"""The shapes that secrets have in texts: one table, each row with what stands in the secret's place.

Sources: what the vendors publish of their tokens' prefixes (GitHub's and GitLab's secret scanning pages), RFC 7468
(PEM), RFC 9110 (credentials in headers), RFC 3986 (userinfo), AWS's Signature Version 4.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from functions_app.domain.secret_words import (
    ELSEWHERE,
    ENGLISH,
    NAMED_BY,
    NAMED_ELSEWHERE_BY,
    NAMES,
    PINS,
    SAID,
)

MASK = "[redacted]"
# A quotation mark as JSON within JSON, a URL or HTML writes it.
QUOTE = r"(?:\\{0,15}[\"']|%22|%27|&quot;|&#3[49];|[`“”„])"
_QUOTED = r"[bBuUrRfF@$]{0,2}(?P<q>" + QUOTE + r")(?:.{0,16384}?(?<!\\)(?P=q)|[^\n]*)"
_GROUP = r"\w*[\[({][^\])}\n]*[\])}]?|[“„«「『][^”»」』\n]*[”»」』]?"
_WORD = r"[^\s,;&\"'}<]+(?:[\"'](?=\w)[^\s,;&\"'}<]*)*"
_REST = r"(?:\w[^\s,;&\"'}<]*)?"  # of a word that begins in quotes, as a shell puts its pieces together
_VALUE = f"(?P<quoted>{_QUOTED}{_REST})|(?P<group>{_GROUP})|(?P<word>{_WORD})"
# No value, and what begins one on the lines below (secret_lines has those).
_NOTHING = (
    r"(?!(?:null|none|nil|true|false|undefined)(?![\w-])|\"\"(?!\")|''(?!')|"
    r"(?:(?:![\w-]+[^\S\n]+)?[|>][-+\d]{0,2}|[\[({])[^\S\n]*(?:\n|\\{1,15}n|\Z)|\\{1,15}n-?\s)"
)

_SEPARATOR = r"(?::=|=>|={1,3}+|:|%3D|%3A)"
# Behind it: on the line below there may be the value, but no item of a list and no other name.
_SPACE = r"(?:[^\S\n]++(?!\n)|(?=\S)|\s++(?!-\s|[\w.-]++:\s))"
SUBSCRIPT = r"(?:(?:\[[\w-]{0,40})?\](?=\s*[:=]))?"  # environ["TOKEN"] = …, passwords[0]=…
# The next name with a value of its own: then the one before has none, and this one's would be left. Of an empty value
# in an environment or an INI file the next line is not the value, whatever it assigns.
_ANOTHER = (
    rf"(?!{QUOTE}?(?:\w[\w.-]{{0,80}}[_.-])?(?:{NAMES}){QUOTE}?\s*{_SEPARATOR}"
    rf"(?:\s|[bBuUrRfF@$]{{0,2}}{QUOTE}|\w{{0,40}}[\[({{]|{re.escape(MASK)}))"
    r"(?!(?<==\n)[A-Za-z_][\w.-]{0,80}=[^\s=])"
)

# What a message says after a colon, rather than a value: "token: is missing", "Password: must be longer".
_SAYS = re.compile(
    r"(?i)(?:a|an|the|this|that|is|was|are|not|no|must|may|can|cannot|can't|could|should|does|did|has|have|too|to|or|and|"
    r"field|value|required|missing|expired|invalid|incorrect|wrong|unset|empty|unknown|unexpected|failed|denied|option)\b"
)
_SAYS_ELSEWHERE = re.compile(rf"(?i)(?:{SAID})[^\W\d_]*(?![^\s.!,。！，])")
SENTENCE = re.compile(r"[A-Za-z]{1,20}['’]?[a-z]{0,3} +[A-Za-z]{1,20}\b(?!\S*\d)")  # two words, and no digit in them
BLAMED = re.compile(
    r"(?i)\b(?:invalid|unexpected|unrecogni[sz]ed|illegal|bad|unknown|malformed|unterminated|undefined)\s+(?:\w+\s+)?$"
)
BLAMED_SHORT = 7  # characters of a token that a parser complains of
_IN_ARN = re.compile(r"\barn:aws[\w-]*:[\w:/.*-]*:$")
NEVER_SAID = re.compile(r"(?i)pass|pwd|pw$")  # names after which any two words may be the secret
_BEFORE = 200  # characters that are looked at before a name


@dataclass(frozen=True)
class Shape:
    """One shape: where it is found, and what is put in its place."""

    name: str
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str] = MASK
    needs: tuple[str, ...] = ("",)  # one of these is in every text that has it, in lower case: most lines have none


def _named(match: re.Match[str]) -> str:
    """A value behind its name, unless what follows the name is a sentence, or part of an ARN."""
    value, separator = match["value"], match["separator"]
    before = match.string[max(0, match.start() - _BEFORE) : match.start()]
    if separator == ":" and _IN_ARN.search(before):
        return match[0]
    if ":" in separator and not match["mark"]:
        rest = match.string[match.start("value") : match.end() + 40]
        says = _SAYS.match(value) or _SAYS_ELSEWHERE.match(value)
        if match["word"] and (says or (not NEVER_SAID.search(match["name"]) and SENTENCE.match(rest))):
            return match[0]
        if len(value.strip("\"'`")) <= BLAMED_SHORT and BLAMED.search(before):
            return match[0]
    return f"{match['head']}{MASK}"


def _shape(
    name: str,
    pattern: str,
    replacement: str | Callable[[re.Match[str]], str] = MASK,
    needs: str = "",
    flags: int = 0,
) -> Shape:
    return Shape(name, re.compile(pattern, flags), replacement, tuple(needs.split()) or ("",))


_KEPT = rf"\1{MASK}"
_TOKENS = "|".join(
    (
        r"gh[pousr]_\w{16,}|github_pat_\w{16,}|gl(?:pat|ptt|rt|dt|cbt|soat|ft|imt|agent)-[\w-]{16,}",  # GitHub, GitLab
        r"xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}",  # Slack
        r"(?:sk|rk|pk|whsec)_(?:live_|test_)?\w{16,}",  # Stripe
        r"sk-(?:[a-z]{2,8}-){0,2}[\w-]{16,}",  # OpenAI, Anthropic
        r"npm_\w{16,}|pypi-[\w-]{16,}|rubygems_\w{16,}|dckr_(?:pat|oat)_[\w-]{16,}|hf_[A-Za-z0-9]{16,}",
        r"AIza[\w-]{30,}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{16,}",  # Google
        r"SG\.[\w-]{16,}\.[\w-]{16,}|key-[0-9a-f]{32}|NRAK-[A-Z0-9]{16,}|dop_v1_[0-9a-f]{32,}|dapi[0-9a-f]{32}",
        r"hv[sbr]\.[\w-]{20,}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{30,}|dp\.(?:pt|st|ct|sa)\.\w{20,}",  # Vault, Terraform
        r"ATATT3[\w-]{20,}={0,2}\w*|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,}|lin_api_\w{20,}|ntn_\w{20,}",
        r"gl(?:sa|c)_[\w=]{20,}|sntry[su]_[\w=+/.-]{20,}|sbp_[0-9a-f]{30,}|pscale_(?:tkn|pw|oauth)_[\w.-]{20,}",
        r"AGE-SECRET-KEY-1[0-9A-Z]{20,}|[0-9]{8,10}:AA[\w-]{32,}|ddk_\w{16,}",  # age, Telegram, our own
    )
)
_PEM_BODY = r"(?=[^\n]*[A-Z])(?=[^\n]*[g-z])(?=[^\n]*[0-9])[A-Za-z0-9+/]{60,76}={0,2}"
# One word of a command after another, as a shell, a list in JSON or a builder writes them; and a word whole.
_NEXT = r"(?:[^\S\n]+|[\"'][\s,]{1,20}(?=[\"']))"
_ARGUMENT = r"(?:\"(?:\\.|[^\"\n])*\"?|'[^'\n]*'?|[^\s\"']+)"
_FLAG = rf"[\"']?-[A-Za-z0-9]+{_NEXT}(?:[\"']?\d+{_NEXT})?+"  # of htpasswd: -C is followed by a number
_BEHIND = "|".join(  # commands, and the option that a password stands behind, in one word with it or in the next
    rf"\b(?:{command}){_NEXT}(?:[^\n]{{0,200}}?{_NEXT})??[\"']?{option}"
    for command, option in (
        (r"mysql\w*|mariadb\w*|7za?", "-p"),
        (r"(?:docker|podman|nerdctl|buildah|skopeo|oras|crane|regctl|helm|az|cf)\b[^\n]{0,60}?\blogin", rf"-p{_NEXT}"),
        ("redis-cli|valkey-cli", rf"-a{_NEXT}?"),
        ("sqlcmd|bcp|zip|unzip", rf"-P{_NEXT}?"),
        (r"ldap(?:search|add|modify|delete|whoami|passwd)", rf"-w{_NEXT}?"),
        ("mongo(?:sh|dump|restore|import|export)?", rf"-p{_NEXT}"),
        ("ssh-keygen", rf"-[NP]{_NEXT}"),
    )
)

_VALUE_BEHIND = (
    rf"(?is)(?P<head>(?P<name>NAMES)(?P<mark>{QUOTE})?{SUBSCRIPT}(?P<separator>\s*{_SEPARATOR}{_SPACE}))"
    rf"{_NOTHING}{_ANOTHER}(?P<value>{_VALUE})"
)

SHAPES: tuple[Shape, ...] = (
    _shape(
        "private key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
        needs="-----begin",
        flags=re.S,
    ),
    _shape("a line of a private key", rf"(?m)^([^\S\n]*+){_PEM_BODY}[^\S\n]*$", _KEPT),
    _shape(
        "an Authorization header of several parts",  # a signature goes on to the end of its text, others of the line
        rf"(?i)(authorization{QUOTE}?\s*[:=,]\s*+\[?\s*+b?{QUOTE}?)"
        r"(?:AWS4-[A-Z0-9-]+ [^\"'\n]*|(?:Digest|OAuth|Hawk|Signature|Negotiate|NTLM) [^\n]*)",
        _KEPT,
        "authorization",
    ),
    _shape(
        "an Authorization header",
        rf"(?i)(authorization(?:{QUOTE}\s*,\s*|{QUOTE}?\s*[:=][^\S\n]*)(?!\[redacted)(?:\[\s*)?b?{QUOTE}?"
        r"(?:[a-z][a-z-]*[^\S\n]+)?)"
        r"[^\s\"',;\\]+",
        _KEPT,
        "authorization",
    ),
    _shape("bearer and basic", r"(?i)\b(bearer|basic)[^\S\n]+[A-Za-z0-9+/_.~=-]{12,}", rf"\1 {MASK}", "bearer basic"),
    _shape("cookies", rf"(?i)\b(cookie{QUOTE}?\s*[:=]\s*{QUOTE}?)[^\"'\n]+", _KEPT, "cookie"),
    # Signature Version 4 query parameters, the older Signature=, Azure's and Google's alike.
    _shape(
        "signed URLs",
        r"(?i)((?:\bx-amz-(?:signature|credential|security-token)|\bx-goog-(?:signature|credential)|"
        r"(?:[?&;]|\\u0026|%26)(?:signature|sig|code|key|access_token))=)[^&\s\"'\\]+",
        _KEPT,
        "signature= credential= token= sig= code= key=",
    ),
    _shape(
        "webhooks",
        r"(?i)(https://(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks|"
        r"[\w.-]{1,100}\.webhook\.office\.com|[\w.-]{1,100}\.logic\.azure\.com|events\.pagerduty\.com/integration|"
        r"chat\.googleapis\.com/v1/spaces|api\.telegram\.org)/)[^\s\"'<>\\]+",
        _KEPT,
        "https://",
    ),
    _shape("JSON Web Tokens", r"\beyJ[A-Za-z0-9_-]{6,4096}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,3}", needs="eyj"),
    _shape("vendors' tokens", rf"(?<![A-Za-z0-9_-])(?:{_TOKENS})"),
    _shape("AWS access key ids", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}\b", needs="akia asia abia acca"),
    _shape("AWS session tokens", r"\b(?:FwoG|FQoG|IQoJ)[A-Za-z0-9/+=]{60,}", needs="fwog fqog iqoj"),
    # The scheme is bounded: a function that prints 64 KB of one letter must not stop the log.
    _shape(
        "passwords in URLs",
        r"(?i)([a-z][a-z0-9+.-]{0,20}://[^\s/:@]{0,200}:)[^\s/]{1,1000}@",
        rf"\1{MASK}@",
        "://",
    ),
    _shape("tokens in URLs", r"(?i)([a-z][a-z0-9+.-]{0,20}://)[^\s/:@]{16,1000}@", rf"\1{MASK}@", "://"),
    _shape(
        "Oracle's connection strings",
        r"(?i)(jdbc:oracle:\w{1,20}:[^/\s@]{1,200}/)[^@\s]+@",
        rf"\1{MASK}@",
        "jdbc:oracle",
    ),
    _shape(
        "an element of XML",
        rf"(?is)(<(?:\w{{1,60}}:)?[\w.-]{{0,60}}?(?:{NAMES})(?:\s[^<>]{{0,500}})?>)(?:<!\[CDATA\[.*?\]\]>|[^<]+)",
        _KEPT,
        "</",
    ),
    _shape(
        "a name and its value apart",
        rf"(?is)({QUOTE}(?:key|name|variable|parameter[_-]?(?:name|key)){QUOTE}\s*[:=]\s*"
        rf"{QUOTE}[^\"'\n]{{0,100}}?(?:{NAMES}){QUOTE}\s*,\s*"
        rf"{QUOTE}(?:parameter[_-]?)?value{QUOTE}\s*[:=]\s*){_NOTHING}(?:{_VALUE})",
        _KEPT,
        "value",
    ),
    # In a list the value goes on to the end of its quotes; builders write lists with commas (JSON) and without.
    _shape(
        "an option of a command",
        rf"(?is)((?<![\w-])--?(?:[^\W_]{{1,30}}[_-]){{0,5}}(?:{NAMES})(?:\s+|(?P<m>[\"'])[\s,]{{1,20}}(?P=m)))"
        rf"(?!-|(?:env|file|fd):|(?:to|or|and|is|option|flag)\b)(?(m)(?:\\.|(?!(?P=m)).){{1,16384}}|(?:{_VALUE}))",
        _KEPT,
        "-",
    ),
    _shape(
        "a short option of a command",
        rf"((?:{_BEHIND}|\bsshpass{_NEXT}(?:-v{_NEXT})?[\"']?-p{_NEXT}?)|"
        r"(?:\bcurl(?:\s[^\n]{0,200}?)?\s-[sSkLfvi]{0,5}u|\s(?:-[sSkLfvi]{0,5}[uU]|--(?:user|proxy-user|(?:src-|dest-)?creds))[\s=]+)"
        r"(?P<q>[\"'])?[^\s:\"'/-][^\s:\"'/]{0,200}:)"
        rf"(?!assword|/|\s|-|\[redacted)(?(q)(?:(?!(?P=q)).)+|{_ARGUMENT})",
        _KEPT,
        "mysql mariadb 7z sshpass login redis-cli valkey-cli sqlcmd bcp zip ldap mongo ssh-keygen curl user creds -u",
    ),
    _shape(
        "arguments of htpasswd",  # the password is the last: after a file, which -n leaves out, and a user
        rf"(\bhtpasswd{_NEXT}(?=(?:{_FLAG}){{0,5}}[\"']?-[A-Za-z]*b)"
        rf"(?>(?=(?:{_FLAG}){{0,5}}[\"']?-[A-Za-z]*n)(?:{_FLAG}){{1,6}}+|(?:{_FLAG}){{1,6}}+{_ARGUMENT}{_NEXT})"
        rf"{_ARGUMENT}{_NEXT})(?!\[redacted){_ARGUMENT}",
        _KEPT,
        "htpasswd",
    ),
    _shape(
        "pass phrases of openssl",
        r"(-pass(?:in|out)?(?:\s+|=|[\"'][\s,]{1,20}(?=[\"']))(?P<q>[\"'])?pass:)(?(q)(?:(?!(?P=q)).)+|\S+)",
        _KEPT,
        "pass:",
    ),
    _shape(
        "a short option in a list",
        r"(?is)([\"'](?:-u|--user|--proxy-user)(?P<m>[\"'])[\s,]{1,20}(?P=m)[^\s:\"']{1,200}:)(?!/)(?:\\.|(?!(?P=m)).){1,16384}",
        _KEPT,
        "-u -user",
    ),
    _shape(
        "SQL and netrc",
        r"(?is)(\bidentified\s+(?:with\s+\S{1,100}\s+)?by\s+|\bpassword\s+(?=')|\blogin\s+\S{1,200}\s+password\s+)"
        r"(?:'[^']*'|\"[^\"]*\"|\S+)",
        _KEPT,
        "identified password",
    ),
    _shape(
        "a registry's login",
        rf"(?i)({QUOTE}auth{QUOTE}\s*:\s*{QUOTE})[A-Za-z0-9+/_-]{{8,}}={{0,2}}",
        _KEPT,
        "auth",
    ),
    _shape("a value behind its name", _VALUE_BEHIND.replace("NAMES", ENGLISH), _named, NAMED_BY),
    _shape("a value behind its name elsewhere", _VALUE_BEHIND.replace("NAMES", ELSEWHERE), _named, NAMED_ELSEWHERE_BY),
    _shape(
        "a PIN",
        rf"(?i)({PINS}(?:{QUOTE}?\s*{_SEPARATOR}\s*|(?<=-pin)\s+|[\"'][\s,]{{1,20}}(?=[\"'])){QUOTE}?)"
        r"\d{3,12}(?![\w.])",
        _KEPT,
        "pin cv",
    ),
    # 40 characters of base64 that are no hexadecimal digest.
    _shape(
        "a bare AWS secret key",
        r"(?<![\w/+.-])(?=\S{0,39}[A-Z])(?=\S{0,39}[a-z])(?=\S{0,39}[0-9])[A-Za-z0-9/+]{40}(?![\w/+=:-]|\.\w)",
    ),
)
