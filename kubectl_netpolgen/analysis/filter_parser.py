"""Text to filter expressions: a small language that reads as it is said, with errors that know their column.

either = both { or both } ;  both = one { and one } ;  one = not one | ( either ) | comparison
comparison = FIELD [ operator ] values | ADDRESS | PROTOCOL
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import NamedTuple

from kubectl_netpolgen.analysis.expressions import (
    ALIASES,
    DEEPEST,
    FIELDS,
    LONGEST,
    OPERATORS,
    PROTOCOLS,
    RESERVED,
    All,
    Comparison,
    Expression,
    Field,
    Not,
    Operator,
    Some,
    Value,
)
from kubectl_netpolgen.analysis.filter_values import read_network, read_value
from kubectl_netpolgen.model.rows import RowKind


class FilterError(ValueError):
    """The expression makes no sense at one place; `hint` says what would."""

    def __init__(self, message: str, *, start: int, end: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        """Column of the first character that is wrong, from 0."""
        self.end = end
        self.hint = hint


class _Token(NamedTuple):
    text: str
    start: int
    end: int
    quoted: bool = False

    @property
    def word(self) -> str:
        """The text as a keyword would be written, or nothing for a quoted text."""
        return "" if self.quoted else self.text.lower()


_TOKEN = re.compile(
    r"""\s*(?: (?P<quoted>"(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*')
             | (?P<sign>&&|\|\||==|!=|!~|<=|>=|[=<>~!(){},])
             | (?P<word>[^\s"'&|=<>~!(){},]+) )""",
    re.VERBOSE,
)
_SPELLED = {"&&": "and", "||": "or", "!": "not", "=": "=="}
_OPERATORS = {operator.value: operator for operator in Operator if operator is not Operator.NOT_IN}
_SETS = {Operator.EQUAL: Operator.IN, Operator.UNEQUAL: Operator.NOT_IN}


def parse_filter(text: str, kind: RowKind) -> Expression:
    """What a text means for rows of a kind; FilterError names the place that makes no sense."""
    if len(text) > LONGEST:
        raise FilterError(f"the expression is longer than {LONGEST} characters", start=LONGEST, end=len(text))
    return _Parser(list(_tokens(text)), len(text), kind).whole()


def _tokens(text: str) -> Iterator[_Token]:
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            unclosed = text[start] in "\"'"
            raise FilterError(
                "the quote is never closed" if unclosed else f"{text[start]!r} means nothing here",
                start=start,
                end=end if unclosed else start + 1,
            )
        position = match.end()
        if match["quoted"] is not None:
            inside = re.sub(r"\\(.)", r"\1", match["quoted"][1:-1], flags=re.DOTALL)
            yield _Token(inside, match.start("quoted"), position, quoted=True)
        else:
            name = "sign" if match["sign"] is not None else "word"
            yield _Token(_SPELLED.get(match[name], match[name]), match.start(name), position)


class _Parser:
    """One pass over the tokens, by recursive descent no deeper than `DEEPEST`."""

    def __init__(self, tokens: list[_Token], length: int, kind: RowKind) -> None:
        # reads as no word at all, wherever one is looked for
        self._tokens = [*tokens, _Token("", length, length + 1, quoted=True)]
        self._at = 0
        self._depth = 0
        self._kind = kind

    def whole(self) -> Expression:
        found = self._either()
        if not self._ended:
            token = self._next
            if token.text == ")" and not token.quoted:
                raise self._error(token, "this closes no parenthesis")
            raise self._error(token, "a new comparison begins here", "join them with: and, or")
        return found

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    @property
    def _ended(self) -> bool:
        return self._at == len(self._tokens) - 1

    def _take(self) -> _Token:
        token = self._next
        if not self._ended:
            self._at += 1
        return token

    def _takes(self, word: str) -> bool:
        if self._next.word != word:
            return False
        self._at += 1
        return True

    def _either(self) -> Expression:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return Some(tuple(parts)) if len(parts) > 1 else parts[0]

    def _both(self) -> Expression:
        parts = [self._one()]
        while self._takes("and"):
            parts.append(self._one())
        return All(tuple(parts)) if len(parts) > 1 else parts[0]

    def _one(self) -> Expression:
        opening = self._next
        if opening.word not in ("not", "("):
            return self._comparison()
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._error(opening, f"more than {DEEPEST} parentheses in one another")
        self._at += 1
        if opening.word == "not":
            found: Expression = Not(self._one())
        else:
            found = self._either()
            if not self._takes(")"):
                raise self._error(self._next, "this parenthesis should be closed by here", "expected )")
        self._depth -= 1
        return found

    def _comparison(self) -> Expression:
        token = self._take()
        if self._ended and token is self._next:
            raise self._error(token, "the expression ends too early", "expected a comparison: port == 443")
        word = ALIASES.get(token.word, token.word)
        if word in FIELDS:
            return self._compare(self._field(word, token))
        if not token.quoted:
            if word in PROTOCOLS and self._kind is not RowKind.NAMES:
                return Comparison("protocol", Operator.EQUAL, (word,))
            network = read_network(token.text)
            if network is not None:
                return Comparison("host", Operator.EQUAL, (network,))
        near = difflib.get_close_matches(word, [*FIELDS, *ALIASES], n=1)
        known = ", ".join(name for name, field in FIELDS.items() if self._kind in field.rows)
        hint = f'did you mean "{ALIASES.get(near[0], near[0])}"?' if near else f"expected one of: {known}"
        raise self._error(token, f'"{token.text}" is no field', hint)

    def _field(self, word: str, token: _Token) -> Field:
        field = FIELDS[word]
        if self._kind in field.rows:
            return field
        where = {
            "clientport": "rows have it with --conversations only",
            "clientports": "it is a count of aggregated rows; leave --conversations out",
            "address": "rows have it with --names only; here it is: host",
        }
        raise self._error(
            token, f'{self._kind.plural} have no "{token.text}"', where.get(word, "leave it out")
        )

    def _compare(self, field: Field) -> Comparison:
        start = self._next
        operator = self._operator()
        if operator not in OPERATORS[field.kind]:
            known = [item.value for item in Operator if item in OPERATORS[field.kind]]
            raise self._error(
                start, f'"{field.name}" has no {operator.value}', f"expected {', '.join(known)}"
            )
        if self._takes("{"):
            operator = _SETS.get(operator, operator)
            if operator not in (Operator.IN, Operator.NOT_IN):
                raise self._error(start, f"{operator.value} takes one value, not a set", "expected in")
            values = [self._value(field, operator)]
            while self._takes(","):
                values.append(self._value(field, operator))
            if not self._takes("}"):
                raise self._error(self._next, "this set should go on or end here", "expected , or }")
            return Comparison(field.name, operator, tuple(values))
        return Comparison(field.name, operator, (self._value(field, operator),))

    def _operator(self) -> Operator:
        """The operator; `port 443` means `port == 443`, as in tcpdump."""
        if self._next.word == "not" and self._tokens[self._at + 1].word == "in":
            self._at += 2
            return Operator.NOT_IN
        operator = _OPERATORS.get(self._next.word)
        if operator is None:
            return Operator.EQUAL
        self._at += 1
        return operator

    def _value(self, field: Field, operator: Operator) -> Value:
        token = self._next
        if self._ended or (not token.quoted and (token.word in RESERVED or token.text in _SIGNS)):
            raise self._error(token, f'"{field.name}" needs a value here', f"expected {_wanted(field)}")
        self._at += 1
        value = read_value(field, operator, token.text)
        if value is None:
            near = difflib.get_close_matches(token.text.lower(), field.words, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"expected {_wanted(field)}"
            raise self._error(token, f'"{token.text}" is no value of "{field.name}"', hint)
        return value

    def _error(self, token: _Token, message: str, hint: str = "") -> FilterError:
        return FilterError(message, start=token.start, end=token.end, hint=hint)


_SIGNS = frozenset("(){},~<>") | {"==", "!=", "!~", "<=", ">="}


def _wanted(field: Field) -> str:
    return f"one of: {', '.join(field.words)}" if field.words else field.kind.value
