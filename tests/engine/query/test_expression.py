"""Filter expressions: what they say, what is refused where, and that nothing else is raised."""

from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.engine.query.expression import MAX_DEPTH, MAX_LENGTH, MAX_TERMS, parse_expression
from app.engine.query.nodes import (
    And,
    Comparison,
    Every,
    ExpressionError,
    Literal,
    LiteralType,
    Match,
    Name,
    Node,
    Not,
    Or,
    Some,
)

GUID = "0190a6f2-7c1e-7b1a-9d3e-0123456789ab"
WORDS = {"true": LiteralType.BOOLEAN, "false": LiteralType.BOOLEAN, "null": LiteralType.NULL}


def name(path: str) -> Name:
    return Name(tuple(path.split("/")), 0)


def literal(kind: LiteralType, text: str) -> Literal:
    return Literal(kind, text, 0)


def text(value: str) -> Literal:
    return literal(LiteralType.TEXT, value)


def number(value: str) -> Literal:
    return literal(LiteralType.NUMBER, value)


def compared(path: str, op: str, *literals: Literal) -> Comparison:
    return Comparison(name(path), op, literals, 0)


A, B, C = (compared(path, "eq", number("1")) for path in "abc")
ROLE = compared("role", "eq", text("seller"))
TITLE = Match("contains", name("title"), False, text("x"), 0)

READ: dict[str, Node] = {
    "a eq 1": A,
    "status ne 'signed'": compared("status", "ne", text("signed")),
    "mission/host_country eq 'KZ'": compared("mission/host_country", "eq", text("KZ")),
    "mission.host_country eq 'KZ'": compared("mission/host_country", "eq", text("KZ")),
    "sectors has 'mining'": compared("sectors", "has", text("mining")),
    "a in (1)": compared("a", "in", number("1")),
    "a in('x', 'y')": compared("a", "in", text("x"), text("y")),
    "amount ne null": compared("amount", "ne", literal(LiteralType.NULL, "null")),
    "contains(title,'x')": TITLE,
    "startswith(title, 'x')": Match("startswith", name("title"), False, text("x"), 0),
    "endswith( a/b , 'x' )": Match("endswith", name("a/b"), False, text("x"), 0),
    "contains(tolower(title),'x')": Match("contains", name("title"), True, text("x"), 0),
    "contains(title,'x') eq true": TITLE,
    "contains(title,'x') eq false": Not(TITLE),
    "parties/any()": Some(name("parties"), None, 0),
    "parties/any() eq false": Not(Some(name("parties"), None, 0)),
    "parties/any(p: p/role eq 'seller')": Some(name("parties"), ROLE, 0),
    "parties/any(p:p/role eq 'seller')": Some(name("parties"), ROLE, 0),
    "parties.any(p: p.role eq 'seller')": Some(name("parties"), ROLE, 0),
    "mission/parties/all(p: p/role eq 'seller')": Every(name("mission/parties"), ROLE, 0),
    "a/any(x: x/b/all(y: y/role eq 'seller') and x/a eq 1)": Some(
        name("a"), And((Every(name("b"), ROLE, 0), A)), 0
    ),
    "a/any(x: x/b/any(x: x/a eq 1))": Some(name("a"), Some(name("b"), A, 0), 0),
    "a/any(p: contains(tolower(p/title),'x'))": Some(
        name("a"), Match("contains", name("title"), True, text("x"), 0), 0
    ),
    "a/any(p: p/a eq 1) and b eq 1": And((Some(name("a"), A, 0), B)),
}

PRECEDENCE: dict[str, Node] = {
    "a eq 1 or b eq 1 and c eq 1": Or((A, And((B, C)))),
    "a eq 1 and b eq 1 or c eq 1": Or((And((A, B)), C)),
    "(a eq 1 or b eq 1) and c eq 1": And((Or((A, B)), C)),
    "not a eq 1 and b eq 1": And((Not(A), B)),
    "not (a eq 1 and b eq 1)": Not(And((A, B))),
    "not(a eq 1)": Not(A),
    "not not a eq 1": Not(Not(A)),
    "((a eq 1))": A,
    "a eq 1 and (b eq 1 and c eq 1)": And((A, B, C)),
    "(a eq 1 or b eq 1) or c eq 1": Or((A, B, C)),
}

LITERALS = {
    "'signed'": (LiteralType.TEXT, "signed"),
    "''": (LiteralType.TEXT, ""),
    "''''": (LiteralType.TEXT, "'"),
    "'O''Neil'": (LiteralType.TEXT, "O'Neil"),
    "'a b)\tand\n\"c\"'": (LiteralType.TEXT, 'a b)\tand\n"c"'),
    "'Алматы'": (LiteralType.TEXT, "Алматы"),
    "'2016-04-12'": (LiteralType.TEXT, "2016-04-12"),
    "2016-04": (LiteralType.DATE, "2016-04"),
    "0": (LiteralType.NUMBER, "0"),
    "-12.50": (LiteralType.NUMBER, "-12.50"),
    "1e9": (LiteralType.NUMBER, "1e9"),
    "1.5E-10": (LiteralType.NUMBER, "1.5E-10"),
    "9" * 40: (LiteralType.NUMBER, "9" * 40),
    "true": (LiteralType.BOOLEAN, "true"),
    "false": (LiteralType.BOOLEAN, "false"),
    "null": (LiteralType.NULL, "null"),
    "2016-02-29": (LiteralType.DATE, "2016-02-29"),
    "2016-04-12T10:00Z": (LiteralType.INSTANT, "2016-04-12T10:00Z"),
    "2016-04-12T10:00:00Z": (LiteralType.INSTANT, "2016-04-12T10:00:00Z"),
    "2016-04-12T10:00:00.123456Z": (LiteralType.INSTANT, "2016-04-12T10:00:00.123456Z"),
    "2016-04-12T10:00:00+05:00": (LiteralType.INSTANT, "2016-04-12T10:00:00+05:00"),
    "2016-04-12T10:00:00-03:30": (LiteralType.INSTANT, "2016-04-12T10:00:00-03:30"),
    GUID: (LiteralType.GUID, GUID),
    "DEADBEEF-7c1e-7b1a-9d3e-0123456789ab": (
        LiteralType.GUID,
        "DEADBEEF-7c1e-7b1a-9d3e-0123456789ab",
    ),
}

FIELD_NAMES = (
    *(
        "note",
        "order",
        "android",
        "inn",
        "any_thing",
        "nothing",
        "nullable",
        "true_name",
        "_x",
        "x1",
    ),
    *("and", "or", "eq", "in", "has", "any", "all", "contains", "tolower", "like", "mission/not"),
    *("mission/any", "mission/null"),
)

UNSPELLED = {
    "a EQ 1": (3, "Write eq instead of EQ."),
    "a Ne 1": (3, "Write ne instead of Ne."),
    "a = 1": (3, "Write eq instead of =."),
    "a == 1": (3, "Write eq instead of ==."),
    "a==1": (2, "Write eq instead of ==."),
    "a:1": (2, "Write eq instead of :."),
    "a is null": (3, "Write a eq null or a ne null instead of is."),
    "a != 1": (3, "Write ne instead of !=."),
    "a <> 1": (3, "Write ne instead of <>."),
    "a > 1": (3, "Write gt instead of >."),
    "a >= 1": (3, "Write ge instead of >=."),
    "a < 1": (3, "Write lt instead of <."),
    "a <= 1": (3, "Write le instead of <=."),
    "a IN (1)": (3, "Write in instead of IN."),
    "a eq 1 AND b eq 1": (8, "Write and instead of AND."),
    "a eq 1 && b eq 1": (8, "Write and instead of &&."),
    "a eq 1 || b eq 1": (8, "Write or instead of ||."),
    "(a eq 1 Or b eq 1)": (9, "Write or instead of Or."),
    "NOT a eq 1": (1, "Write not instead of NOT."),
    "NOT (a eq 1)": (1, "Write not instead of NOT."),
    "!(a eq 1)": (1, "Write not instead of !."),
    "a eq True": (6, "Write true instead of True."),
    "a eq NULL": (6, "Write null instead of NULL."),
    "a eq None": (6, "Write null instead of None."),
    "Contains(a,'x')": (1, "Write contains instead of Contains."),
    "contains(a,'x') == true": (17, "Write eq instead of ==."),
    "contains(ToLower(a),'x')": (10, "Did you mean 'tolower'?"),
    "parties/Any(p: p/a eq 1)": (1, "Did you mean 'any'?"),
    "a eqq 1": (3, "Did you mean 'eq'?"),
    "contain(a,'x')": (1, "Did you mean 'contains'?"),
    "starts_with(a,'x')": (1, "Did you mean 'startswith'?"),
    "parties/al(p: p/a eq 1)": (1, "Did you mean 'all'?"),
    "a eq 1 adn b eq 1": (8, "found adn. Did you mean 'and'?"),
    "title like 'x%'": (7, "Write contains(title,'text') instead of like."),
    "title ilike 'x%'": (7, "Write contains(tolower(title),'text') instead of ilike."),
    "title contains 'x'": (7, "Write contains(title,'text') instead of contains."),
    "a between 1 and 2": (3, "Write a ge 1 and a le 2 instead of between."),
    "a not in (1)": (3, "Write not a in ('a','b') instead of not."),
}

MISSING = {
    "": (1, "Write a condition here"),
    " \t": (3, "Write a condition here, such as status eq 'signed'; found the end."),
    "a": (2, "Write an operator after the name, such as a eq 'value'; found the end."),
    "a 1": (3, "Write an operator after the name, such as a eq 'value'; found 1."),
    "a and b eq 1": (3, "Write an operator after the name"),
    "(a)": (3, "Write an operator after the name"),
    "not a": (6, "Write an operator after the name"),
    "a plus 1": (3, "There is no operator plus: there are eq, ne, gt, ge, lt, le, in, has, under."),
    "a + 1": (3, "There is no operator +"),
    "a eq": (5, "Write a value here, such as 'text', 5 or null; found the end."),
    "a eq and b eq 1": (6, "Write text in single quotes: 'and'."),
    "a eq )": (6, "Write a value here"),
    "a eq 1 and": (11, "Write a condition here"),
    "a eq 1 or )": (11, "Write a condition here"),
    "()": (2, "Write a condition here, such as status eq 'signed'; found )."),
    "not": (4, "Write a condition here"),
    "a eq 1 b eq 2": (8, "Write and, or, or nothing more after a condition; found b."),
    "a eq 1, b eq 2": (7, "Write and, or, or nothing more after a condition; found ,."),
    "a eq 1 eq 2": (8, "Write and, or, or nothing more after a condition; found eq."),
    "a eq 1)": (7, "Leave out this ): no parenthesis is open."),
    "(a eq 1": (1, "This parenthesis is not closed"),
    "b eq 1 and (not (a eq 1)": (12, "This parenthesis is not closed"),
    "a in (1, 2": (6, "This parenthesis is not closed"),
    "contains(a,'x'": (9, "This parenthesis is not closed"),
    "contains(": (9, "This parenthesis is not closed"),
    "contains(tolower(a": (17, "This parenthesis is not closed"),
    "parties/any(p: p/a eq 1": (12, "This parenthesis is not closed"),
    "a in 1": (6, "Write parentheses after in: in ('a','b'); found 1."),
    "a in ()": (7, "Write a value here"),
    "a in (1,)": (9, "Write a value here"),
    "a in (1 2)": (9, "Write a comma or ) after a value of the list; found 2."),
    "a eq (1)": (6, "Write one value without parentheses"),
}

WRONG_VALUES = {
    "a eq signed": (6, "Write text in single quotes: 'signed'."),
    "a eq some-ref": (6, "Write text in single quotes: 'some-ref'."),
    "a eq Алматы": (6, "Write text in single quotes: 'Алматы'."),
    "a eq O'Neil'": (6, "Write text in single quotes: 'O'."),
    "a eq b/c": (6, "Write text in single quotes: 'b/c'."),
    'a eq "signed"': (6, "Write text in single quotes: 'signed'."),
    'a eq "signed': (6, "Write text in single quotes: 'signed'."),
    "a eq 'signed": (6, "This text is not closed: write ' at its end"),
    "a eq 'signed''": (6, "This text is not closed"),
    "a eq '''": (6, "This text is not closed"),
    "a eq 'O'Neil": (9, "write a quote in it twice, as in 'O''Neil'."),
    "a eq +5": (6, "+5 is no value: write -12.5"),
    "a eq 1.": (6, "1. is no value"),
    "a eq 1,5": (7, "after a condition; found ,."),
    "a eq 1e500": (6, "1e500 is no value"),
    "a eq 5x": (6, "5x is no value"),
    "a eq 5я": (6, "5я is no value"),
    "a eq ٥": (6, "Write text in single quotes"),
    "a eq 1" + "0" * 40: (6, "Write a number of at most 40 characters."),
    "a eq 2016-4-1": (6, "2016-4-1 is no value"),
    "a eq 2016-04-31": (6, "2016-04-31 is not in the calendar"),
    "a eq 2016-13-01": (6, "2016-13-01 is not in the calendar"),
    "a eq 0000-01-01": (6, "is not in the calendar"),
    "a eq 2016-04-12T10:00:00": (6, "or +05:00, where + is %2B in an address"),
    "a eq 2016-04-12T10:00:00 05:00": (6, "where + is %2B in an address"),
    "a eq 2016-04-12T25:00:00Z": (6, "is not in the calendar"),
    "a eq 9999-12-31T23:00:00-05:00": (6, "is not in the calendar"),
    "a eq 0001-01-01T00:00:00+05:00": (6, "is not in the calendar"),
    f"a eq {GUID}0": (6, "is no value"),
    "a gt null": (6, "Write null after eq or ne only, not gt: a eq null."),
    "a has null": (7, "Write null after eq or ne only, not has"),
    "a in ('x',null)": (11, "Write null after eq or ne only, not in: a eq null."),
    "'x' eq a": (1, "Write the name before the value"),
    "null eq a": (1, "Write the name before the value"),
    "5 lt a": (1, "Write the name before the value"),
    "a\u00a0eq 1": (2, "Write a plain space instead of '\\xa0'."),
    "a eq\n1": (5, "Write a plain space instead of '\\n'."),
    "a eq 'x\0'": (8, "Leave out the '\\x00'."),
    "a eq 'x\ud800'": (8, "Leave out the '\\ud800'."),
    "$it/a eq 1": (1, "$it/a is not a name"),
    "parties/$count gt 1": (1, "parties/$count is not a name"),
    "a/ eq 1": (1, "a/ is not a name"),
    "имя eq 1": (1, "имя is not a name"),
}

WRONG_CALLS = {
    "contains(a)": (11, "Write contains(name,'text') or contains(tolower(name),'text'); found )."),
    "contains()": (10, "Write contains(name,'text')"),
    "contains(a,'x','y')": (15, "Write contains(name,'text')"),
    "contains('x',a)": (10, "Write contains(name,'text')"),
    "contains(a,5)": (12, "Write text in single quotes: '5'."),
    "contains(a,null)": (12, "Write text in single quotes: 'null'."),
    "contains(a,x)": (12, "Write text in single quotes: 'x'."),
    "contains(tolower(a,'x'))": (19, "Write contains(name,'text')"),
    "contains(toupper(a),'x')": (10, "found toupper."),
    "contains(a,'x') eq 'true'": (20, "Compare a call with true or false only, not true."),
    "contains(a,'x') eq 1": (20, "Compare a call with true or false only, not 1."),
    "contains(a,'x') ne true": (17, "after a condition; found ne."),
    "length(a) gt 5": (1, "There is no function length here: there are contains, startswith"),
    "a/contains('x')": (1, "There is no function a/contains here: there are any, all."),
    "any(p: p/a eq 1)": (1, "Write the collection before any: parties/any(p: p/role eq 'seller')."),
    "parties/all()": (13, "Write a variable first: parties/all(p: p/role eq 'seller'); found )."),
    "parties/any(": (13, "Write a variable first"),
    "parties/any(p/a: p/a eq 1)": (13, "Write a variable first"),
    "parties/any(role eq 1)": (18, "Write a colon after the variable"),
    "parties/any(p:)": (15, "Write a condition here"),
    "parties/any(p: role eq 1)": (
        16,
        "Names here begin with p, the innermost variable: write p/role.",
    ),
    "parties/any(p: p eq 1)": (16, "Write a field after p, such as p/role."),
    "parties/any(p: p/any(q: q/a eq 1))": (16, "Write a field after p"),
    "a/any(p: p/b/any(q: p/c eq 1))": (
        21,
        "Names here begin with q, the innermost variable: p belongs to an outer any or all.",
    ),
    "a/any(p: p/b/any(q: q/c eq 1) and q/d eq 1)": (35, "Names here begin with p"),
    "a/any(p: p/b eq 1, p/c eq 1)": (18, "Write and, or, or nothing more"),
}

REFUSED = UNSPELLED | MISSING | WRONG_VALUES | WRONG_CALLS


def fault(source: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as raised:
        parse_expression(source)
    return raised.value


@pytest.mark.parametrize("source", READ)
def test_conditions_are_read(source: str) -> None:
    assert parse_expression(source) == READ[source]


@pytest.mark.parametrize("source", PRECEDENCE)
def test_not_binds_before_and_and_and_before_or(source: str) -> None:
    assert parse_expression(source) == PRECEDENCE[source]


@pytest.mark.parametrize("source", LITERALS)
def test_literals_have_a_kind_and_their_text(source: str) -> None:
    expected = compared("a", "eq", literal(*LITERALS[source]))
    assert parse_expression(f"a eq {source}") == expected


@pytest.mark.parametrize("path", FIELD_NAMES)
def test_a_field_may_be_called_like_a_keyword(path: str) -> None:
    condition = compared(path, "eq", number("1"))
    assert parse_expression(f"{path} eq 1 and {path} eq 1") == And((condition, condition))


def test_spaces_and_tabs_may_stand_between_any_two_parts() -> None:
    spaced = " not\t(  a/any( p :\tp/role  eq 'seller' ) )\t"
    assert parse_expression(spaced) == Not(Some(name("a"), ROLE, 0))


def test_a_comparison_stands_where_its_operator_does() -> None:
    node = parse_expression("  amount  in (5, 6)")
    assert isinstance(node, Comparison)
    assert (node.name.at, node.at, [item.at for item in node.literals]) == (3, 11, [15, 18])


def test_a_match_stands_where_its_function_does() -> None:
    node = parse_expression(" contains(tolower(title),'x')")
    assert isinstance(node, Match)
    assert (node.at, node.name.at, node.literal.at) == (2, 19, 26)


def test_a_quantifier_stands_where_its_word_does_and_names_after_the_variable() -> None:
    node = parse_expression("mission/parties/any(pp: pp/role eq 'seller')")
    assert isinstance(node, Some)
    assert isinstance(node.item, Comparison)
    assert (node.name.at, node.at, node.item.name.at) == (1, 17, 28)


def test_trees_are_equal_wherever_their_parts_stand() -> None:
    spread, dense = parse_expression("  a   eq   1"), parse_expression("a eq 1")
    assert spread == dense
    assert hash(spread) == hash(dense)


@pytest.mark.parametrize("source", REFUSED)
def test_an_error_tells_its_place_and_what_is_right(source: str) -> None:
    position, words = REFUSED[source]
    error = fault(source)
    assert error.position == position
    assert words in error.detail


def test_an_error_reads_as_one_line() -> None:
    assert str(fault("a == 1")) == "character 3: Write eq instead of ==."


def test_of_several_errors_the_first_is_told() -> None:
    assert fault("a == 1 && b eq 'x").position == 3


def test_an_error_does_not_repeat_long_words_in_full() -> None:
    assert len(fault(f"{'a' * 900} eq {'b' * 900}").detail) < 120


def test_the_length_is_limited() -> None:
    longest = f"a eq '{'x' * (MAX_LENGTH - 7)}'"
    assert isinstance(parse_expression(longest), Comparison)
    assert fault(longest + " ").position == MAX_LENGTH + 1


def test_the_number_of_conditions_is_limited() -> None:
    most = " or ".join(["a eq 1"] * MAX_TERMS)
    assert parse_expression(most) == Or((A,) * MAX_TERMS)
    assert fault(f"{most} or b eq 1").position == len(most) + 5


@pytest.mark.parametrize(
    ("outside", "inside", "closing", "levels"),
    [
        ("(a eq 1 or ", "(a eq 1 or ", ")", 1),
        ("not ", "not ", "", 1),
        ("not (", "not (", ")", 2),
        ("a/any(p: ", "p/a/any(p: ", ")", 1),
        ("a/all(p: ", "p/a/all(p: ", ")", 1),
    ],
)
def test_the_depth_is_limited(outside: str, inside: str, closing: str, levels: int) -> None:
    path = "p/b" if inside.startswith("p") else "b"

    def nested(depth: int) -> str:
        return f"{outside}{inside * (depth - 1)}{path} eq 1{closing * depth}"

    most = MAX_DEPTH // levels
    parse_expression(nested(most))
    assert "Nest at most 20 levels" in fault(nested(most + 1)).detail


@pytest.mark.parametrize("part", ["(", "not ", "a/any(p:", "a/", "'", "''", "1", "1-", "&", "a.b "])
def test_the_longest_of_one_kind_is_refused(part: str) -> None:
    fault((part * MAX_LENGTH)[:MAX_LENGTH])


STEPS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True)
NAMES = (
    st.lists(STEPS, min_size=1, max_size=3)
    .filter(lambda steps: steps[0] not in ("not", *WORDS))
    .map(lambda steps: Name(tuple(steps), 0))
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8).map(
    text
)
NUMBERS = st.from_regex(r"-?[0-9]{1,9}(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
VALUES = st.one_of(
    TEXTS,
    NUMBERS.map(number),
    st.booleans().map(lambda value: literal(LiteralType.BOOLEAN, str(value).lower())),
    st.dates().map(lambda day: literal(LiteralType.DATE, day.isoformat())),
    st.datetimes().map(lambda moment: literal(LiteralType.INSTANT, f"{moment.isoformat()}Z")),
    st.uuids().map(lambda guid: literal(LiteralType.GUID, str(guid))),
)
NULLS = st.just(literal(LiteralType.NULL, "null"))
LEAVES = st.one_of(
    st.builds(
        lambda path, op, value: Comparison(path, op, (value,), 0),
        NAMES,
        st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le", "has"]),
        VALUES,
    ),
    st.builds(lambda path, value: Comparison(path, "ne", (value,), 0), NAMES, NULLS),
    st.builds(
        lambda path, values: Comparison(path, "in", tuple(values), 0),
        NAMES,
        st.lists(VALUES, min_size=1, max_size=3),
    ),
    st.builds(
        Match,
        st.sampled_from(["contains", "startswith", "endswith"]),
        NAMES,
        st.booleans(),
        TEXTS,
        st.just(0),
    ),
    st.builds(Some, NAMES, st.none(), st.just(0)),
)


def joined(kind: type[And[Node]] | type[Or[Node]], items: list[Node]) -> Node:
    flat: list[Node] = []
    for item in items:
        flat.extend(item.items if isinstance(item, kind) else [item])
    return kind(tuple(flat))


def _branches(nodes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(nodes, min_size=2, max_size=3)
    return st.one_of(
        st.builds(Not, nodes),
        st.builds(joined, st.sampled_from([And, Or]), several),
        st.builds(Some, NAMES, nodes, st.just(0)),
        st.builds(Every, NAMES, nodes, st.just(0)),
    )


NODES: st.SearchStrategy[Node] = st.recursive(LEAVES, _branches, max_leaves=10)


def _write_literal(value: Literal) -> str:
    return (
        "'" + value.text.replace("'", "''") + "'"
        if value.literal_type is LiteralType.TEXT
        else value.text
    )


def _write_quantified(node: Some | Every, path: str, level: int) -> str:
    word = "any" if isinstance(node, Some) else "all"
    inner = f"v{level}: {write(node.item, level + 1)}" if node.item is not None else ""
    return f"{path}/{word}({inner})"


def write(node: Node, level: int = 0) -> str:
    """The expression of a tree, with the fewest parentheses; variables are called by level."""
    if isinstance(node, And | Or):
        inner = (_write_inner(item, level, loose=isinstance(node, Or)) for item in node.items)
        return (" or " if isinstance(node, Or) else " and ").join(inner)
    if isinstance(node, Not):
        return f"not {_write_inner(node.item, level, loose=False)}"
    path = "/".join(([f"v{level - 1}"] if level else []) + list(node.name.steps))
    if isinstance(node, Some | Every):
        return _write_quantified(node, path, level)
    if isinstance(node, Match):
        path = f"tolower({path})" if node.folded else path
        return f"{node.function}({path},{_write_literal(node.literal)})"
    values = ",".join(map(_write_literal, node.literals))
    return f"{path} in ({values})" if node.op == "in" else f"{path} {node.op} {values}"


def _write_inner(node: Node, level: int, *, loose: bool) -> str:
    bare = not isinstance(node, And | Or) or (loose and isinstance(node, And))
    return write(node, level) if bare else f"({write(node, level)})"


@given(NODES)
def test_a_tree_that_is_written_out_is_read_as_the_same_tree(node: Node) -> None:
    source = write(node)
    assume(len(source) <= MAX_LENGTH)
    assert parse_expression(source) == node


def read_or_refuse(source: str) -> None:
    try:
        parse_expression(source)
    except ExpressionError as error:
        refusal = error
    else:
        return
    assert 1 <= refusal.position <= len(source) + 1
    assert refusal.detail.endswith((".", "?"))


@given(st.text())
@example("\ud800")
@example("x" * (MAX_LENGTH + 1))
def test_any_text_is_read_or_refused(source: str) -> None:
    read_or_refuse(source)


PARTS = (
    *("a", "p", "p/a", "a/any", "a/all", "any", "contains", "tolower", "not", "and", "or", "eq"),
    *("in", "has", "null", "true", "(", ")", ",", ":", "'x'", "'", '"', "5", "-", "2016-04-12"),
    *("==", "!", "&&", "2016-13-01", "1e5", GUID, "é", "\n", "\t", ".", "/", "$", "like", "NOT"),
)


@given(st.lists(st.sampled_from(PARTS), max_size=25), st.sampled_from(["", " "]))
def test_any_mixture_of_parts_is_read_or_refused(parts: list[str], space: str) -> None:
    read_or_refuse(space.join(parts))


@given(NODES, st.data())
def test_any_tree_with_a_piece_cut_out_is_read_or_refused(node: Node, data: st.DataObject) -> None:
    source = write(node)
    start = data.draw(st.integers(0, len(source)))
    read_or_refuse(source[:start] + source[data.draw(st.integers(start, len(source))) :])
