"""The exceptions that tandem_client has; libtandem itself has one for each name of an error."""
from ._errors import InvalidArgument, TandemError

TandemValidationError = InvalidArgument

__all__ = ["TandemError", "TandemValidationError"]
