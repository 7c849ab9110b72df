"""All of what an operation gives page by page, one item after the other."""
from __future__ import annotations

from typing import Any, AsyncIterator, Awaitable, Callable, Iterator, Mapping, NamedTuple

# Pages that are not full are the last, as far as no engine limits them to fewer items.
PAGE = 100


class Paging(NamedTuple):
    """How an operation is read page by page."""

    #: "page": numbered from 1. "offset": how many come before. "after": what the page before says.
    by: str
    argument: str
    size: str
    #: The member that holds the items; "" where they are the result itself.
    items: str
    #: The member of a page, else of its last item, that `argument` gets next.
    next: str


class _Walk:
    """Where the reading stands."""

    def __init__(self, rule: Paging, arguments: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        self.rule = rule
        size = arguments.get(rule.size) or PAGE
        self.arguments = {**arguments, **options, rule.size: size}
        self.full = max(1, min(int(size), PAGE))
        if rule.by != "after":
            self.arguments[rule.argument] = 1 if rule.by == "page" else 0
        self.seen: set[Any] = set()
        self.is_over = False

    def items(self, page: Any) -> Iterator[Any]:
        """What is new on a page; from now on the arguments are those of the next one."""
        found = page.get(self.rule.items) or [] if self.rule.items else page
        self.is_over = len(found) < self.full or not self._advance(page, found)
        for item in found:
            # What is added meanwhile pushes others onto the next page.
            name = item.get("id") if isinstance(item, dict) and self.rule.by != "after" else None
            if name is None or name not in self.seen:
                yield item
            if name is not None:
                self.seen.add(name)

    def _advance(self, page: Any, found: Any) -> bool:
        rule = self.rule
        if rule.by == "after":
            source = page if rule.items else found[-1]
            before, mark = self.arguments.get(rule.argument), source.get(rule.next)
            self.arguments[rule.argument] = mark
            return mark is not None and mark != before
        self.arguments[rule.argument] += 1 if rule.by == "page" else len(found)
        return True


def walk(
    method: Callable[..., Any], rule: Paging, arguments: Mapping[str, Any], options: Mapping[str, Any]
) -> Iterator[Any]:
    reading = _Walk(rule, arguments, options)
    while not reading.is_over:
        yield from reading.items(method(**reading.arguments))


async def walk_async(
    method: Callable[..., Awaitable[Any]], rule: Paging, arguments: Mapping[str, Any], options: Mapping[str, Any]
) -> AsyncIterator[Any]:
    reading = _Walk(rule, arguments, options)
    while not reading.is_over:
        for item in reading.items(await method(**reading.arguments)):
            yield item
