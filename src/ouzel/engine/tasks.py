"""Tasks that run beside something else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

import anyio


@asynccontextmanager
async def beside(*tasks: Callable[[], Coroutine[Any, Any, None]]) -> AsyncGenerator[None]:
    """Run `tasks` as long as the body runs, and cancel them at its end.

    An exception, of the body or of a task, comes out as it is and not inside a group: there is one body, and whoever fails
    first decides.
    """
    try:
        async with anyio.create_task_group() as tg:
            for task in tasks:
                tg.start_soon(task)
            yield
            tg.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        raise _first(group) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    for exc in group.exceptions:
        return _first(cast("BaseExceptionGroup[BaseException]", exc)) if isinstance(exc, BaseExceptionGroup) else exc
    return group
