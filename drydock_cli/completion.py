"""Completion of verbs and options for bash and zsh, made of the table of verbs."""

import shlex
from collections.abc import Callable, Mapping, Sequence

from drydock_cli.verbs import JSON, Verb

BASH = """\
# eval "$(drydock completion bash)"
_drydock() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} known=
  if [ "$COMP_CWORD" -eq 1 ]; then
    known={verbs}
  else
    case ${{COMP_WORDS[1]}} in
{cases}
    esac
  fi
  COMPREPLY=($(compgen -W "$known" -- "$word"))
}}
complete -F _drydock drydock
"""
ZSH = """\
#compdef drydock
# eval "$(drydock completion zsh)", or keep it as _drydock in a folder of $fpath
_drydock() {{
  local -a known
  if (( CURRENT == 2 )); then
    known=({verbs})
  else
    case $words[2] in
{cases}
    esac
  fi
  _describe drydock known
}}
if [ "$funcstack[1]" = _drydock ]; then
  _drydock "$@"
else
  compdef _drydock drydock
fi
"""


def bash(verbs: Sequence[Verb]) -> str:
    """The script that bash reads."""
    cases = [f"      {verb.name}) known={shlex.quote(' '.join(_options(verb)))} ;;" for verb in verbs]
    return BASH.format(verbs=shlex.quote(" ".join(verb.name for verb in verbs)), cases="\n".join(cases))


def zsh(verbs: Sequence[Verb]) -> str:
    """The script that zsh reads."""
    cases = [f"      {verb.name}) known=({_described(_options(verb))}) ;;" for verb in verbs]
    return ZSH.format(verbs=_described({verb.name: verb.about for verb in verbs}), cases="\n".join(cases))


def _options(verb: Verb) -> Mapping[str, str]:
    return {f"--{option.name}": option.about for option in (*verb.options, JSON)}


def _described(words: Mapping[str, str]) -> str:
    return " ".join(shlex.quote(f"{word}:{about}") for word, about in words.items())


SHELLS: Mapping[str, Callable[[Sequence[Verb]], str]] = {"bash": bash, "zsh": zsh}
