"""A number as a Code 128 barcode (ISO/IEC 15417), for tills whose scanners read lines only. Pure.

Rule: subset C, two digits a symbol, so the count of digits must be even.
"""

from markupsafe import Markup

from protocol.errors import CallerError

_TABLE = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 "
    "122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 "
    "321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 "
    "211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 "
    "213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 "
    "121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 "
    "241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 "
    "412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 "
    "211214 211232 2331112"
)
_WIDTHS = _TABLE.split()
"""Bars and spaces in turn, of each symbol value."""
_START_C, _STOP, _MODULO = 105, 106, 103
QUIET_MODULES = 10
HEIGHT_MODULES = 36


def bar_widths(digits: str) -> list[int]:
    """Widths in modules, a bar first, then space and bar in turn; without quiet zones.
    ``CallerError("field_invalid")`` for what is not an even count of digits."""
    if not digits.isascii() or not digits.isdecimal() or len(digits) % 2:
        raise CallerError("field_invalid", "barcode")
    pairs = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
    weighed = sum(place * value for place, value in enumerate(pairs, 1))
    symbols = [_START_C, *pairs, (_START_C + weighed) % _MODULO, _STOP]
    return [int(width) for value in symbols for width in _WIDTHS[value]]


def bar_picture(digits: str) -> Markup:
    """The barcode as an SVG element, black on white, with its quiet zones."""
    at, path = QUIET_MODULES, ""
    for place, width in enumerate(bar_widths(digits)):
        if place % 2 == 0:
            path += f"M{at} 0h{width}v{HEIGHT_MODULES}h-{width}z"
        at += width
    whole = at + QUIET_MODULES
    return Markup(  # noqa: S704  # numbers only
        f'<svg viewBox="0 0 {whole} {HEIGHT_MODULES}" preserveAspectRatio="none"'
        f' shape-rendering="crispEdges"><path d="{path}"/></svg>'
    )
