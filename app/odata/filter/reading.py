"""What an expression means: from its tree to a condition of the engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Never

from app.core.databases.types import instant_text, now
from app.core.errors import Fault
from app.engine.paths import FieldType, PathError, RecordField, find_field
from app.engine.query import nodes as engine
from app.engine.query.conditions import Compare, Condition, Exists
from app.engine.query.expression_fields import elements_of, field_of
from app.engine.query.filter_reader import FilterReader, ParsedFilter
from app.engine.query.nodes import And, ExpressionError, Literal, LiteralType, Not, Or
from app.engine.resource import Embedded, Resource
from app.odata.errors import NotSupported
from app.odata.filter.calculations import TESTS, Calculations
from app.odata.filter.nodes import Among, Binary, Call, Expression, Path, Quantified, Unary
from app.odata.filter.parser import parse, unsupported
from app.odata.options import Options, bad_option

_FLIPPED: Final = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_COMPARISONS: Final = ("eq", "ne", "gt", "ge", "lt", "le")
At = Resource | Embedded


def read_filter(
    resource: At,
    options: Options,
    reading: "Callable[[FilterReader], Reading] | None" = None,
) -> ParsedFilter:
    """What `$filter` states, made a condition by a `reading` of one's own or by the plain one;
    400 tells where its first mistake is."""
    parsed = ParsedFilter()
    parsed.condition = read_condition(resource, options, parsed, reading)
    return parsed


def read_condition(
    resource: At,
    options: Options,
    parsed: ParsedFilter,
    reading: "Callable[[FilterReader], Reading] | None" = None,
) -> Condition | None:
    """The same as a condition, whose values come to stand in `parsed`."""
    text = options.get("$filter")
    if text is None:
        return None
    if not text.strip():
        raise bad_option("$filter", "Is empty: write a condition, or leave it out.", "empty")
    try:
        tree = parse(text, options.aliases)
        conditions = (reading or Reading)(FilterReader(resource, parsed))
        return conditions.condition(tree, resource, "")
    except ExpressionError as error:
        detail = f"Character {error.position}: {error.detail}"
        raise bad_option("$filter", detail, "expression") from None
    except NotSupported as problem:
        problem.errors = (Fault("not_supported", problem.detail, parameter="$filter"),)
        raise


@dataclass(slots=True)
class Reading:
    """Makes conditions of trees, whose values the reader keeps."""

    reader: FilterReader
    #: Names of what is no field, a "number" or a "text": whoever makes SQL of the condition knows
    #: them.
    worked_out: Mapping[str, str] = field(default_factory=dict)

    def condition(self, tree: Expression, at: At, variable: str) -> Condition:
        """What the tree says of a record or part; `variable` is that of any or all around it."""
        match tree:
            case Binary(operator="and"):
                return And(tuple(self.condition(i, at, variable) for i in _items("and", tree)))
            case Binary(operator="or"):
                return Or(tuple(self.condition(i, at, variable) for i in _items("or", tree)))
            case Unary(operator="not"):
                return Not(self.condition(tree.item, at, variable))
        return self.predicate(tree, at, variable)

    def predicate(self, tree: Expression, at: At, variable: str) -> Condition:  # noqa: RET503
        """The same of what is neither and, or nor not."""
        match tree:
            case Binary():
                return self._binary(tree, at, variable)
            case Among():
                return self._among(tree, at, variable)
            case Quantified():
                return self._quantified(tree, at, variable)
            case Call():
                return self._call(tree, at, variable)
            case Path():
                truth = Literal(LiteralType.BOOLEAN, "true", tree.at)
                return self._binary(Binary("eq", tree, truth, tree.at), at, variable)
        _refuse(tree)

    def _binary(self, tree: Binary, at: At, variable: str) -> Condition:
        if tree.operator not in (*_COMPARISONS, "has"):
            _refuse(tree)
        tree = _settled(tree)
        left, right = tree.left, tree.right
        if isinstance(right, Literal):
            if _is_condition(left) and right.literal_type is LiteralType.BOOLEAN:
                return self._truth(tree, right, at, variable)
            if isinstance(left, Path) and left.steps[0] not in self.worked_out:
                return self._comparison(tree.operator, left, (right,), tree.at, at, variable)
            if isinstance(left, Call) and left.function == "date" and len(left.arguments) == 1:
                return self._of_day(tree, left, right, at, variable)
        return self._calculated(tree, at, variable)

    def _truth(self, tree: Binary, right: Literal, at: At, variable: str) -> Condition:
        found = self.condition(tree.left, at, variable)
        if tree.operator not in ("eq", "ne"):
            raise ExpressionError(tree.at, "Write eq or ne before true and false.")
        return found if (right.text == "true") is (tree.operator == "eq") else Not(found)

    def _of_day(self, tree: Binary, call: Call, right: Literal, at: At, variable: str) -> Condition:
        """A moment is compared with a whole day."""
        (path,) = call.arguments
        if not isinstance(path, Path) or right.literal_type is not LiteralType.DATE:
            raise unsupported("date() of anything but a field, compared with a day")
        return self._comparison(tree.operator, path, (right,), tree.at, at, variable)

    def _comparison(
        self,
        operator: str,
        path: Path,
        literals: tuple[Literal, ...],
        place: int,
        at: At,
        variable: str,
    ) -> Condition:
        """What the engine's own filters can say."""
        name = name_of(path, variable)
        is_null = literals[0].literal_type is LiteralType.NULL
        if is_null and operator not in ("eq", "ne"):
            raise ExpressionError(literals[0].at, "Write null after eq or ne only.")
        if is_null:
            # Programs ask for it of what is never null too.
            field_of(name, at)
            missing = Compare(name.steps, "isnull", ())
            return missing if operator == "eq" else Not(missing)
        node = engine.Comparison(name, operator, literals, place)
        return self.reader.predicate(node, at)

    def _among(self, tree: Among, at: At, variable: str) -> Condition:
        if isinstance(tree.left, Path) and tree.left.steps[0] not in self.worked_out:
            return self._comparison("in", tree.left, tree.items, tree.at, at, variable)
        ways = (Binary("eq", tree.left, item, tree.at) for item in tree.items)
        return Or(tuple(self._binary(way, at, variable) for way in ways))

    def _call(self, tree: Call, at: At, variable: str) -> Condition:
        if tree.function not in TESTS:
            _refuse(tree)
        node = _match(tree, at, variable)
        if node is not None:
            return self.reader.predicate(node, at)
        calculations = Calculations(self.reader, at, variable, self.worked_out)
        return calculations.test(tree)

    def _calculated(self, tree: Binary, at: At, variable: str) -> Condition:
        if tree.operator == "has":
            raise unsupported("has of anything but a list and a value")
        calculations = Calculations(self.reader, at, variable, self.worked_out)
        if tree.operator == "ne":
            return Not(calculations.comparison("eq", tree))
        return calculations.comparison(tree.operator, tree)

    def _quantified(self, tree: Quantified, at: At, variable: str) -> Condition:
        name = name_of(tree.collection, variable)
        if _list_field(at, name.steps) is not None:
            return self._of_list(tree, name, at)
        target = elements_of(name, at)
        if tree.item is None:
            return Exists(name.steps, None)
        item = self.condition(tree.item, target, tree.variable)
        if tree.quantifier == "any":
            return Exists(name.steps, item)
        return Not(Exists(name.steps, Not(item)))

    def _of_list(self, tree: Quantified, name: engine.Name, at: At) -> Condition:
        """Whether a list of codes has one of these: `sectors/any(s: s eq 'C20')`."""
        if tree.item is None:
            null = Literal(LiteralType.NULL, "null", tree.at)
            return self.reader.predicate(engine.Comparison(name, "ne", (null,), tree.at), at)
        wanted = "eq" if tree.quantifier == "any" else "ne"
        literals = tuple(_asked_of_item(tree.item, tree.variable, wanted))
        found = self.reader.predicate(engine.Comparison(name, "has", literals, tree.at), at)
        return found if tree.quantifier == "any" else Not(found)


def _items(operator: str, tree: Expression) -> list[Expression]:
    """What stands between operators of one kind."""
    if isinstance(tree, Binary) and tree.operator == operator:
        return [*_items(operator, tree.left), *_items(operator, tree.right)]
    return [tree]


def _settled(tree: Binary) -> Binary:
    """The comparison with its value on the right, and `now()` as a moment."""
    left, right = _constant(tree.left), _constant(tree.right)
    if isinstance(left, Literal) and not isinstance(right, Literal):
        operator = _FLIPPED.get(tree.operator, tree.operator)
        return Binary(operator, right, left, tree.at)
    if isinstance(left, Literal):
        raise ExpressionError(tree.at, "Compare a field with a value, not two values.")
    return Binary(tree.operator, left, right, tree.at)


def _constant(tree: Expression) -> Expression:
    if isinstance(tree, Call) and tree.function == "now" and not tree.arguments:
        return Literal(LiteralType.INSTANT, instant_text(now()), tree.at)
    return tree


def _is_condition(tree: Expression) -> bool:
    """Whether it is true or false, other than a field."""
    match tree:
        case Call():
            return tree.function in TESTS
        case Binary():
            return tree.operator in (*_COMPARISONS, "and", "or", "has")
        case Unary():
            return tree.operator == "not"
    return isinstance(tree, Among | Quantified)


def _match(tree: Call, at: At, variable: str) -> engine.Match | None:
    """The search in a text that the engine's own filters have, with an index; None for others."""
    if len(tree.arguments) != 2:
        return None
    of, literal = tree.arguments
    folded = isinstance(of, Call) and of.function == "tolower" and len(of.arguments) == 1
    path = of.arguments[0] if folded and isinstance(of, Call) else of
    if not isinstance(path, Path) or not isinstance(literal, Literal):
        return None
    if literal.literal_type is not LiteralType.TEXT or not literal.text:
        return None
    if folded and (tree.function != "contains" or literal.text != literal.text.lower()):
        return None
    name = name_of(path, variable)
    found = _field(at, name.steps)
    if found is None or found.field_type is not FieldType.text:
        return None
    return engine.Match(tree.function, name, folded, literal, tree.at)


def _field(at: At, steps: tuple[str, ...]) -> RecordField | None:
    try:
        return find_field(at, steps)
    except PathError:
        return None


def _list_field(at: At, steps: tuple[str, ...]) -> RecordField | None:
    found = _field(at, steps)
    return found if found is not None and found.field_type is FieldType.list else None


def _asked_of_item(tree: Expression, variable: str, wanted: str) -> list[Literal]:
    """The values that an item of a list is compared with, by `eq` and or, or by `ne` and and."""
    joins = "or" if wanted == "eq" else "and"
    match tree:
        case Binary(operator=operator) if operator == joins:
            return [
                i for side in _items(joins, tree) for i in _asked_of_item(side, variable, wanted)
            ]
        case Binary(operator=operator, left=Path(steps=(only,)), right=Literal() as literal):
            if operator == wanted and only == variable:
                return [literal]
        case Among(left=Path(steps=(only,))) if only == variable and wanted == "eq":
            return list(tree.items)
    raise unsupported(f"Of a list anything but any({variable}: {variable} eq 'value')")


def name_of(path: Path, variable: str) -> engine.Name:
    """The name without the variable that it begins with."""
    if not variable:
        return engine.Name(path.steps, path.at)
    if path.steps[0] != variable or len(path.steps) == 1:
        text = f"Names here begin with {variable}, the innermost variable: {variable}/name."
        raise ExpressionError(path.at, text)
    return engine.Name(path.steps[1:], path.at + len(variable) + 1)


def _refuse(tree: Expression) -> Never:
    """Tell of what is no condition."""
    match tree:
        case Call() if tree.function not in Calculations.ARITY:
            raise unsupported(f"The function {tree.function[:100]}")
        case Binary(operator="div" | "mod" | "divby" as operator):
            raise unsupported(f"The operator {operator}")
    raise ExpressionError(tree.at, "Write a condition here, such as status eq 'signed'.")
