"""Finds the shapes of co_await that g++ 12 compiles wrongly, as far as that can be seen without knowing the types.

tests/compilers has the table of these shapes. This module reads tokens, not C++: it finds the full-expression around each
co_await and looks for what must not be in it.
"""

import re

from sources import code_of

_TOKEN = re.compile(r"[A-Za-z_]\w*|\d[\w.']*|::|->|\[\[|\]\]|\S")
_PARTNERS = {")": "(", "]": "[", "}": "{", "]]": "[["}
_CONTROL = {"if", "while", "switch", "for"}
_BEFORE_A_BLOCK = {")", "]", ";", "}", "else", "do", "try", "noexcept", "mutable", "const", "override", "final", ":"}
_TYPE_KEYWORDS = {"namespace", "struct", "class", "enum", "union", "extern"}
_NO_DECLARATION = {"co_await", "co_return", "co_yield", "return", "throw", "delete", "new", "goto", "else", "using", "case",
                   "if", "while", "for", "switch", "do", "try", "typedef", "namespace", "struct", "class", "enum", "template"}
_DECLARATION = re.compile(r"(?:const |static |constexpr |volatile )*[A-Za-z_]\w*(?: :: \w+)*(?: <.*?>)?(?: (?:const|[&*]))*"
                          r"(?: [A-Za-z_]\w*(?: \[ \w+ \])?| \[ [\w ,]+ \])(?: [=;{(]|$)")


class _Bracket:
    """An opening bracket: its token, what encloses it, and what kind it is."""

    def __init__(self, index, parent, kind):
        self.index = index
        self.end = None
        self.parent = parent
        self.kind = kind  # "block", "braces" (an initializer), "control" (a condition), "parentheses" or "square"


class _Text:
    """The tokens of a file, with the bracket that encloses each."""

    def __init__(self, text):
        code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", "", code_of(text), flags=re.MULTILINE)
        self.tokens, self.lines = [], []
        line, position = 1, 0
        for match in _TOKEN.finditer(code):
            line += code.count("\n", position, match.start())
            position = match.start()
            self.tokens.append(match.group())
            self.lines.append(line)
        self.enclosing = []
        self.opened_at = {}
        self.closed_at = {}
        self._match_brackets()

    def _match_brackets(self):
        current = None
        for index, token in enumerate(self.tokens):
            if token in _PARTNERS and current is not None:
                current.end = index
                self.closed_at[index] = current
                current = current.parent
            self.enclosing.append(current)
            if token in _PARTNERS.values():
                current = _Bracket(index, current, self._kind(index, current))
                self.opened_at[index] = current

    def _kind(self, index, parent):
        token = self.tokens[index]
        before = self.tokens[index - 1] if index > 0 else ";"
        if token == "(":
            is_control = before in _CONTROL or self.tokens[max(index - 2, 0):index] == ["if", "constexpr"]
            return "control" if is_control else "parentheses"
        if token != "{":
            return "square"
        if before in _BEFORE_A_BLOCK or (before == "{" and (parent is None or parent.kind == "block")):
            return "block"
        head = self._statement_head(index)
        returns_a_type = ")" in head and "->" in head[len(head) - head[::-1].index(")"):]
        return "block" if returns_a_type or (head and head[0] in _TYPE_KEYWORDS) else "braces"

    def _statement_head(self, index):
        """The tokens of the statement that stand before `index`."""
        start = index
        while start > 0 and self.tokens[start - 1] not in {";", "{", "}"}:
            start -= 1
        return self.tokens[start:index]

    def inside(self, bracket):
        """The indices of the tokens between a bracket and its partner; of the whole text for None."""
        if bracket is None:
            return range(len(self.tokens))
        return range(bracket.index + 1, len(self.tokens) if bracket.end is None else bracket.end)

    def skipping_blocks(self, indices):
        """Those of the indices that are not inside a block which begins among them: the body of a lambda is apart."""
        end_of_block = -1
        for index in indices:
            if index <= end_of_block:
                continue
            bracket = self.opened_at.get(index)
            if bracket is not None and bracket.kind == "block":
                end_of_block = self.inside(bracket).stop
            yield index


def _full_expression(text, index):
    """(the bracket whose content it is a part of, the indices of the tokens) of the full-expression around a token."""
    bracket = text.enclosing[index]
    while bracket is not None and bracket.kind not in ("block", "control"):
        bracket = bracket.parent
    start = stop = index
    limits = text.inside(bracket)
    while start > limits.start and not _ends_a_statement(text, start - 1, bracket):
        start -= 1
    while stop + 1 < limits.stop and not (text.tokens[stop] == ";" and text.enclosing[stop] is bracket):
        stop += 1
    return bracket, list(text.skipping_blocks(range(start, stop + 1)))


def _ends_a_statement(text, index, bracket):
    """Whether a token at the level of `bracket` is the last one of what stands before a statement."""
    if text.enclosing[index] is not bracket:
        return False
    if text.tokens[index] == ";":
        return True
    if text.tokens[index] not in (")", "}"):
        return False
    return text.closed_at[index].kind == ("control" if text.tokens[index] == ")" else "block")


def _is_declaration(tokens):
    return bool(tokens) and tokens[0] not in _NO_DECLARATION and _DECLARATION.match(" ".join(tokens)) is not None


def _statements(text, bracket):
    """The statements directly inside a bracket, each as its first tokens."""
    statement = []
    for index in text.inside(bracket):
        token = text.tokens[index]
        if text.enclosing[index] is bracket and (token in (";", "}")):
            yield index, statement + [";"]
            statement = []
        elif len(statement) < 40:
            statement.append(token)
    yield text.inside(bracket).stop, statement


def _is_after_a_declaration(text, index):
    """Whether the coroutine declares something, in a scope around the token and before it."""
    bracket = text.enclosing[index]
    while bracket is not None:
        if bracket.kind in ("block", "control"):
            if any(end < index and _is_declaration(statement) for end, statement in _statements(text, bracket)):
                return True
        if bracket.kind == "block":
            head = text.tokens[bracket.index - 1]
            if head == ")":
                condition = text.closed_at[bracket.index - 1]
                if condition.kind != "control":
                    return False  # the body of a function
                if _is_declaration(next(_statements(text, condition))[1]):
                    return True
            elif head not in ("else", "do", "try", "{", "}", ";"):
                return False  # the body of a lambda or of a function with a trailing return type
        bracket = bracket.parent
    return False


def _owning_captures(text, index):
    """Whether a lambda begins at this `[` whose captures are its own."""
    before = text.tokens[index - 1] if index > 0 else ";"
    if text.tokens[index] != "[" or re.match(r"[\w)\]]", before) and before not in ("return", "co_return", "co_await"):
        return False
    content = "".join(text.tokens[position] for position in text.inside(text.opened_at[index]))
    return any(not re.fullmatch(r"|this|&|&\w+", capture) for capture in content.split(","))


def _is_list(text, index):
    """Whether braces begin here that are an argument and hold elements without names."""
    bracket = text.opened_at.get(index)
    if bracket is None or bracket.kind != "braces" or text.tokens[index - 1] not in ("(", ",", "{"):
        return False
    return len(text.inside(bracket)) > 0 and text.tokens[index + 1] != "."


def _is_inside_braces(text, index, boundary):
    bracket = text.enclosing[index]
    while bracket is not boundary:
        if bracket.kind == "braces":
            return True
        bracket = bracket.parent
    return False


def bad_shapes(source):
    """(line, what is wrong) of each co_await of a file that g++ 12 may compile wrongly."""
    text = _Text(source)
    for index, token in enumerate(text.tokens):
        if token != "co_await" or text.tokens[index - 1] == "operator":
            continue
        boundary, expression = _full_expression(text, index)
        tokens = [text.tokens[position] for position in expression]
        wrong = []
        if "?" in tokens:
            wrong.append("?: in the expression")
        if any(_is_list(text, position) for position in expression):
            wrong.append("a braced list in the expression")
        if _is_inside_braces(text, index, boundary):
            wrong.append("inside braces")
        if any(_owning_captures(text, position) for position in expression):
            wrong.append("a lambda in the expression that owns its captures")
        is_condition = boundary is not None and boundary.kind == "control" and ":" not in tokens
        if is_condition and not _is_declaration(tokens) and not _is_after_a_declaration(text, index):
            wrong.append("in a condition, in a coroutine that declares nothing before")
        for reason in wrong:
            yield text.lines[index], f"co_await {reason}: name the thing on the line before"
