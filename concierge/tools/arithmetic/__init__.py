"""Sums that visitors ask for, read and worked out without a language model: "3 chairs and the table with 10 % off?"."""

from concierge.tools.arithmetic.order import Extra, LineSum, Order, OrderLine, PricedRow, Total
from concierge.tools.arithmetic.reading import read_order
from concierge.tools.arithmetic.totals import total

__all__ = ["Extra", "LineSum", "Order", "OrderLine", "PricedRow", "Total", "read_order", "total"]
