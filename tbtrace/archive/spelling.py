"""Spelling: names and labels as Parquet takes them, which is UTF-8 alone.

Python's texts may hold lone surrogates (file names that are no UTF-8, say). Such a text is kept as
U+FFFD and its JSON, and read back as what it was. JSON joins a high surrogate and the low one after
it, which are a character in UTF-16.
"""

from __future__ import annotations

import json

_MARK = "\ufffd"


def spell(text: str) -> str:
    r"""Returns the text as it is kept; itself unless it is no UTF-8 or begins with U+FFFD.

    Example:
        >>> spell("car 1"), spell("\ud800") == '\ufffd"\\ud800"'
        ('car 1', True)
    """
    if not text.startswith(_MARK):
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    return _MARK + json.dumps(text)


def unspell(text: str) -> str:
    r"""Returns what was spelled.

    Raises:
        ValueError: It is nothing that `spell` returns.

    Example:
        >>> unspell("car 1"), unspell(spell("\ud800")) == "\ud800"
        ('car 1', True)
    """
    if not text.startswith(_MARK):
        return text
    said = json.loads(text[len(_MARK) :])
    if not isinstance(said, str):
        raise ValueError(f"{text!r} is no name")
    return said
