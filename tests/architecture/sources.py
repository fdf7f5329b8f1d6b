"""What the checks of this folder share: C++ text in which comments and literals cannot be mistaken for code."""

import re

_LITERALS_AND_COMMENTS = re.compile(
    r'(?P<raw>R"(?P<tag>[^()\\\s]*)\(.*?\)(?P=tag)")'
    r'|(?P<string>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<character>(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+')"
    r"|(?P<comment>//[^\n]*|/\*.*?\*/)",
    re.DOTALL)


def _blank(match):
    text = match.group(0)
    kept_lines = "\n" * text.count("\n")
    if match.lastgroup == "comment":
        return " " + kept_lines
    return ("''" if match.lastgroup == "character" else '""') + kept_lines


def code_of(text):
    """The text without comments and with empty literals; every line stays on its line."""
    return _LITERALS_AND_COMMENTS.sub(_blank, text)


def includes_of(text):
    """(line number, spelling) of each #include, where the spelling keeps its quotes or brackets."""
    without_comments = _LITERALS_AND_COMMENTS.sub(
        lambda match: _blank(match) if match.lastgroup == "comment" else match.group(0), text)
    for number, line in enumerate(without_comments.splitlines(), start=1):
        found = re.match(r'\s*#\s*include\s*(<[^>]+>|"[^"]+")', line)
        if found:
            yield number, found[1]
