"""calculate: arithmetic by walking the syntax tree, with bounds on every step."""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable
from typing import Annotated, Any

from chatglass.tools import policy
from chatglass.tools.function_tool import CallContext, FunctionTool
from chatglass.tools.tool import ToolOutput

_LONGEST = 1_000
_BITS = 10_000
"""Of any whole number on the way: 3,010 decimal digits, below the interpreter's limit of 4,300."""
_ITEMS = 1_000

Number = int | float


class CannotCalculate(Exception):
    """The expression is not arithmetic, or too large. `str()` says which part, and why."""


def calculate_tool() -> FunctionTool:
    async def calculate(
        context: CallContext,
        expression: Annotated[str, "Such as 2**10 / 3, sqrt(2) * pi, round(7.256, 2), max(3, 4)."],
    ) -> ToolOutput:
        """Calculate an arithmetic expression exactly: + - * / // % **, comparisons, and functions such as sqrt, sin, log, factorial, gcd, round, min, max, sum."""
        try:
            text = shown(evaluate(expression))
        except CannotCalculate as error:
            return ToolOutput.error(str(error))
        return ToolOutput("ok", text, text)

    return FunctionTool(
        calculate,
        lambda arguments, root: policy.harmless("It only calculates."),
        read_only=True,
        timeout_s=5.0,
        output_limit=5_000,
    )


def evaluate(expression: str) -> Any:
    """The value of `expression`. Raises CannotCalculate."""
    text = expression.strip()
    if len(text) > _LONGEST:
        raise CannotCalculate(
            f"The expression has {len(text):,} characters; {_LONGEST:,} are taken."
        )
    if "^" in text:
        raise CannotCalculate("^ is no power here: write ** (2**10).")
    try:
        return _value(_parse(text.replace("×", "*").replace("÷", "/").replace("−", "-")))
    except SyntaxError as error:
        raise CannotCalculate(f"{text!r} is not an expression: {error.msg}.") from None
    except ZeroDivisionError:
        raise CannotCalculate("It divides by zero.") from None
    except OverflowError:
        raise CannotCalculate("A number on the way is too large.") from None
    except (ValueError, TypeError) as error:
        raise CannotCalculate(f"It can't be calculated: {str(error).lstrip('_')}.") from None
    except (RecursionError, MemoryError):
        # The parser reports too many open brackets as MemoryError.
        raise CannotCalculate("The expression is nested too deeply.") from None


def _parse(text: str) -> ast.expr:
    with warnings.catch_warnings():
        # `1or 2` makes the parser warn, on stderr, across the screen.
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.parse(text, mode="eval").body


def shown(value: Any) -> str:
    """Floats with 15 digits, which hides the last bits' noise: 0.1 + 0.2 is 0.3."""
    if isinstance(value, float):
        return format(value, ".15g")
    if isinstance(value, tuple | list):
        return "[" + ", ".join(shown(item) for item in value) + "]"  # pyright: ignore[reportUnknownVariableType]
    return str(value)


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=bool() | int() | float() as value):
            return _bounded(value)
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _bounded(_UNARY[type(op)](_number(operand)))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _bounded(_BINARY[type(op)](_number(left), _number(right)))
        case ast.Compare(left=left, ops=ops, comparators=others):
            values = [_number(part) for part in (left, *others)]
            if all(type(op) in _COMPARISONS for op in ops):
                pairs = zip(ops, values, values[1:], strict=False)
                return all(_COMPARISONS[type(op)](a, b) for op, a, b in pairs)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            if len(items) <= _ITEMS:
                return [_number(item) for item in items]
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name, arguments)
        case _:
            pass
    raise CannotCalculate(
        f"{ast.unparse(node)[:80]!r} is not taken: numbers, + - * / // % **, comparisons, and"
        f" {', '.join(sorted(_FUNCTIONS))}; {', '.join(sorted(_CONSTANTS))}."
    )


def _call(name: str, arguments: list[ast.expr]) -> Any:
    function = _FUNCTIONS.get(name)
    if function is None:
        raise CannotCalculate(
            f"There is no function {name}. There are: {', '.join(sorted(_FUNCTIONS))}."
        )
    values = [_value(argument) for argument in arguments]
    return _bounded(function(*values))


def _number(node: ast.expr) -> Number:
    value = _value(node)
    if not isinstance(value, int | float):
        raise CannotCalculate(f"{ast.unparse(node)[:80]!r} is a list, not a number.")
    return value


def _bounded(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise CannotCalculate(f"A number on the way has more than {_BITS * 3 // 10:,} digits.")
    if isinstance(value, complex):
        raise CannotCalculate("The result is not a real number.")
    if isinstance(value, float) and not math.isfinite(value):
        raise CannotCalculate("A number on the way is too large.")
    return value


def _power(base: Number, exponent: Number) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        # The size is known before the work is done.
        if base.bit_length() * exponent > _BITS + exponent:
            raise CannotCalculate(f"{base}**{exponent} has too many digits."[:120])
        return base**exponent
    return base**exponent


def _shift(left: Number, right: Number) -> int:
    if not isinstance(left, int) or not isinstance(right, int):
        raise CannotCalculate("<< takes whole numbers.")
    if right > _BITS:
        raise CannotCalculate(f"<< {right} has too many digits."[:120])
    return left << right


def _factorial(number: Number) -> int:
    # 1,100! has 2,868 digits.
    if number > 1_100:
        raise CannotCalculate(f"factorial({number}) has too many digits."[:120])
    return math.factorial(number)  # type: ignore[arg-type]


def _round(number: Number, digits: int = 0) -> Number:
    # Rounding a whole number to -n digits makes 10**n.
    if abs(digits) > 1_000:
        raise CannotCalculate("round takes up to 1,000 digits.")
    return round(number, digits) if digits else round(number)


def _comb(total: int, chosen: int) -> int:
    _refuse_large(total)
    return math.comb(total, chosen)


def _perm(total: int, chosen: int | None = None) -> int:
    _refuse_large(total)
    return math.perm(total, chosen)


def _refuse_large(total: int) -> None:
    if total > 10_000:
        raise CannotCalculate("comb and perm take numbers up to 10,000.")


def _whole(function: Callable[..., int]) -> Callable[..., int]:
    def bounded(*values: int) -> int:
        return _bounded(function(*values))

    return bounded


def _product(items: list[Number]) -> Number:
    result: Number = 1
    for item in items:
        result = _bounded(result * item)
    return result


_CONSTANTS: dict[str, Number] = {"pi": math.pi, "e": math.e, "tau": math.tau,
                                 "True": True, "False": False}  # fmt: skip
_UNARY: dict[type, Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.LShift: _shift,
    ast.RShift: lambda a, b: a >> b,
    ast.BitAnd: lambda a, b: a & b,
    ast.BitOr: lambda a, b: a | b,
}
_COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(math, name) for name in (
        "sqrt", "exp", "log", "log2", "log10", "log1p", "expm1", "sin", "cos", "tan", "asin",
        "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "degrees",
        "radians", "hypot", "floor", "ceil", "trunc", "fabs", "fmod", "gcd", "isqrt",
        "copysign", "erf", "gamma", "lgamma", "dist", "cbrt",
    )},
    "lcm": _whole(math.lcm), "factorial": _factorial, "comb": _comb,
    "perm": _perm, "prod": _product, "pow": _power,
    "abs": abs, "round": _round, "min": min, "max": max, "sum": sum, "int": int, "float": float,
}  # fmt: skip
