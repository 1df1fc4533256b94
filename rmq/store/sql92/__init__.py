"""SQL92 expressions over the properties of messages, as RocketMQ understands them.

``compile_expression`` reads a text once; ``Expression.matches`` then judges a record's properties.
"""

from rmq.store.sql92.evaluator import Expression, compile_expression
from rmq.store.sql92.lexer import ExpressionError

__all__ = ["Expression", "ExpressionError", "compile_expression"]
