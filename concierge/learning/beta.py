"""The beta distribution: how probable a success rate is after so many successes and failures. Pure."""

from math import exp, lgamma, log, log1p
from typing import Final

TINY: Final = 1e-300
PRECISION: Final = 1e-12
MOST_TERMS: Final = 2_000
HALVINGS: Final = 50  # Halve the interval from 0 to 1 this often, and a quantile is exact to the last digits.


def probability_below(value: float, alpha: float, beta: float) -> float:
    """The regularised incomplete beta function (DLMF 8.17.22), by the side on which its fraction is short."""
    if value <= 0:
        return 0.0
    if value >= 1:
        return 1.0
    if value > (alpha + 1) / (alpha + beta + 2):
        return 1 - _lower_part(1 - value, value, beta, alpha)
    return _lower_part(value, 1 - value, alpha, beta)


def quantile(probability: float, alpha: float, beta: float) -> float:
    """The success rate below which the true one is with this probability."""
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if probability_below(middle, alpha, beta) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _lower_part(value: float, rest: float, alpha: float, beta: float) -> float:
    """`rest` is 1 − `value`, which is known exactly where `value` is close to 1."""
    scale = lgamma(alpha + beta) - lgamma(alpha) - lgamma(beta)
    power = alpha * log(value) + beta * (log1p(-value) if value < rest else log(rest))
    return exp(scale + power) / (alpha * _fraction(value, alpha, beta))


def _fraction(value: float, alpha: float, beta: float) -> float:
    """The continued fraction, from its front to its end (Lentz's method)."""
    result, above, below = 1.0, 1.0, 0.0
    for term in range(1, MOST_TERMS):
        part = _coefficient(term, alpha, beta) * value
        below = 1 / _not_zero(1 + part * below)
        above = _not_zero(1 + part / above)
        change = above * below
        result *= change
        if abs(change - 1) < PRECISION:
            break
    return result


def _coefficient(term: int, alpha: float, beta: float) -> float:
    half = term // 2
    if term % 2 == 0:
        return half * (beta - half) / ((alpha + term - 1) * (alpha + term))
    return -(alpha + half) * (alpha + beta + half) / ((alpha + term - 1) * (alpha + term))


def _not_zero(number: float) -> float:
    return number if abs(number) > TINY else TINY
