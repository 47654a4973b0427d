"""What `client("s3")` returns, where the types of the client may be installed or not."""

from collections.abc import Generator
from typing import Any, Generic, TypeVar, overload

from asession._clients import Opening

Known_co = TypeVar("Known_co", covariant=True)
T_co = TypeVar("T_co", covariant=True)

class TypedOpening(Opening[T_co], Generic[Known_co, T_co]):
    """An `Opening` of `T_co` if `Known_co` is a class, and of `Any` if its package is missing.

    A name that cannot be imported is an unknown type, which fits everything, `None` too, so that
    the first overloads apply. Without them a strict pyright would report each use of a client whose
    types are not installed. Each service has a subclass, for then the overloads of `client()` do
    not mention an unknown type, which a strict pyright would report as well.
    """

    @overload
    async def __aenter__(self: TypedOpening[None, Any]) -> Any: ...
    @overload
    async def __aenter__(self) -> T_co: ...
    @overload
    def __await__(self: TypedOpening[None, Any]) -> Generator[Any, Any, Any]: ...
    @overload
    def __await__(self) -> Generator[Any, Any, T_co]: ...
