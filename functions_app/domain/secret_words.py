"""What secrets are called, in some languages, and how a name is read whatever letters it is written in."""

import re
import unicodedata

# The first letter of a word: "salt" and "userSalt", and not "basalt".
_OWN = r"(?:(?<![^\W_])|(?-i:(?<=[a-z0-9])(?=[A-Z])))"
ENGLISH = (
    r"passwords?|passwd|passphrase|passcode|pwd|(?<=[_-])(?:pass|pw|pat|auth)|"
    r"(?:store|key|db|sql|pg|my|redis|mongo|user|root|admin|login|mail|smtp|ftp|ldap|http|proxy|wifi)pass|"
    r"secret(?:[_-]?(?:access[_-]?)?key|[_-]?(?:string|binary|value|text))?|token|credentials?|"
    r"jwt|otp|session[_-]?id|(?:api|private|encryption|signing|hmac|session|account|master|shared[_-]?access|subscription|license)[_-]?keys?|"
    rf"connection[_-]?string|(?=[sp]){_OWN}(?:salt(?!://)|pepper)|mnemonic|seed[_-]?phrase|(?:recovery|backup)[_-]?codes?"
)
# Words that stand in others of their language, too ("resenha" is a review), and words that don't.
_WORDS = (
    "mot de passe,contraseña,senha,palavra passe,parola,parolă,passord,hasło,heslo,geslo,lozinka,şifre,sandi,kennwort",
    "passwort,geheimnis,wachtwoord,lösenord,adgangskode,salasana,jelszó,slaptažodis,mật khẩu,пароль,секрет,токен,гасло,"
    "κωδικός,συνθηματικό,密码,密碼,口令,密钥,密鑰,令牌,パスワード,パスフレーズ,暗証番号,秘密鍵,비밀번호,암호,비밀키,"
    "كلمة المرور,كلمة السر,סיסמה,סיסמא,पासवर्ड,รหัสผ่าน",
)
# What a message says of one: that it is not, or wrong.
_SAID = (
    "не,нет,пуст,невер,ош,истек,falsch,fehlt,ungültig,abgelaufen,nicht,kein,incorrect,invalid,non,pas,no,vide,vac,"
    "requ,erron,expir,manqu,falt,nie,błęd,不,未,无,無,错,錯,必,没,沒,已,が,は,を"
)

# Letters that look like Latin ones (Unicode's confusables), the small and the capital one of a pair as the same letter.
_ALIKE = {
    **dict(zip("авеёзікмнорстухјѕԁһԛԝьӏ", "abee3ikmhopctyxjsdhqwbl", strict=True)),
    **dict(zip("αβεζηικμνορςτυχϲ", "abezhikmnopσtyxc", strict=True)),
    **dict(zip("łøđħıɑɡɩʟοᴏѵ", "lodhiagiloov", strict=True)),
}
_COMPOSED = (  # where letters lie that are others with a sign, or the same in another form
    *(range(0xA0, 0x250), range(0x37F, 0x530), range(0x1D00, 0x2000), range(0x2000, 0x2190), range(0x2460, 0x2500)),
    *(range(0x3000, 0x3001), range(0xFE30, 0xFF66), range(0x1D400, 0x1D800), range(0x1F130, 0x1F170)),
)
_SEPARATORS = " =:_-.\"'@/"
_MARKS = re.compile(r"(?<=[A-Za-z])[\u0300-\u036f\u0489]+")


def _read_as(letter: str) -> str:
    if alike := _ALIKE.get(letter.lower()):
        return alike.upper() if letter.isupper() else alike
    whole = unicodedata.normalize("NFKD", letter)
    if not all(unicodedata.combining(mark) for mark in whole[1:]):
        return letter
    base = _ALIKE.get(whole[0].lower(), whole[0])
    return base if base.isalnum() or (len(whole) == 1 and base in _SEPARATORS) else letter


_LETTERS = {ord(alike): _read_as(alike) for low in _ALIKE for alike in (low, low.upper()) if len(alike) == 1}
_LETTERS |= {code: _read_as(chr(code)) for codes in _COMPOSED for code in codes if _read_as(chr(code)) != chr(code)}


def composed(text: str) -> str:
    """The text with each sign in its letter, and without those that no letter is written with."""
    return _MARKS.sub("", unicodedata.normalize("NFC", text))


def read(text: str) -> str:
    """A composed text, letter by letter as somebody reads it: of the same length, and ASCII where that looks alike."""
    return text if text.isascii() else text.translate(_LETTERS)


def _alternatives(words: str, between: str = "") -> str:
    return "|".join(re.escape(read(composed(word))).replace(r"\ ", between) for word in words.split(","))


ELSEWHERE = rf"{_OWN}(?:{_alternatives(_WORDS[0], '[ _-]?')})|{_alternatives(_WORDS[1], '[ _-]?')}"
NAMES = f"{ENGLISH}|{ELSEWHERE}"
"""What the last word of a name says that holds a secret, as `read` gives it."""
NAMED_BY = (
    "pass secret token credential key pwd pw pat auth connection jwt otp session salt pepper mnemonic seed recovery "
    "backup"
)
NAMED_ELSEWHERE_BY = " ".join(read(composed(word)).split()[0].lower() for word in ",".join(_WORDS).split(","))
"""One of these, in lower case, is in each text that has one of ENGLISH, or of ELSEWHERE."""
SAID = _alternatives(_SAID)
PINS = rf"{_OWN}(?:pin(?:[_-]?(?:code|number))?|cvv2?|cvc2?)(?![^\W_])"
"""What is called so is a secret where it is so many digits: a pin of a plug has fewer."""
SEVERAL = (
    r"(?:password|passphrase|passcode|secret|token|credential|jwt|otp|mnemonic|(?:recovery|backup)[_-]?code|"
    r"(?:api|private|secret|access|encryption|signing|hmac|session|account|master|license)[_-]?key)s|passwds?|pwds?"
)
SEVERAL_BY = "words phrases codes secrets tokens credentials jwts otps mnemonics keys passwd pwd"
"""What several secrets are called, and what is in each text, in lower case, that has such a name."""
PLAIN = (
    rf"{_OWN}(?:user|user[_-]?name|name|email|login|host|host[_-]?name|port|url|uri|arn|id|type|kind|source|target|file|path|external|"
    r"driver|version|region|account|role|profile|provider|expir\w*|ttl|at|time|date|scopes?|mode|uid|gid|format|status|"
    r"state|line|column|count|total|used|limit|max|min|remaining|message|error|reason|description)"
)
"""What the last word of a member's name says, among secrets, that holds none."""
