"""The methods of both clients that provide something of the program's to the engine."""
from __future__ import annotations

from typing import Any, Callable, Generic, Mapping, TypeVar, overload

from ._host import Host, Provider

Function = TypeVar("Function", bound=Callable[..., Any])
Core = TypeVar("Core", bound=Any)


class Providing(Generic[Core]):
    """Tools, models and decisions of this program.

    Nothing is ever called from a thread of the library: who reads the client's events calls. With TandemClient that is the
    event loop; with SyncTandemClient every thread that waits in a call, a stream or serve().
    """

    _core: Core

    def _host(self) -> Host:
        host: Host = self._core.host
        return host

    @overload
    def tool(self, function: Function, /) -> Function: ...

    @overload
    def tool(
        self,
        /,
        *,
        name: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        permission: str = "allow",
        timeout: float | None = None,
        in_thread: bool = False,
    ) -> Callable[[Function], Function]: ...

    def tool(
        self,
        function: Any = None,
        /,
        *,
        name: str | None = None,
        description: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        permission: str = "allow",
        timeout: float | None = None,
        in_thread: bool = False,
    ) -> Any:
        """Makes a function a tool that models of the embedded engine may call: a decorator, plain or with arguments.

        Its name, docstring, annotations and defaults become what models are shown; arguments come converted to what the
        annotations say. What it returns is the result: a text as it is, None as nothing, a ToolResult with its data,
        anything else as JSON. What it raises is told to the model as the tool's error. It may be a coroutine function. A
        parameter annotated ToolCall gets the call.

        name, description, parameters: in place of what the function says; parameters is a JSON schema of an object.
        permission: "ask" asks for a permission before each call.
        timeout: seconds, 120 by default, after which the model is told that it failed.
        in_thread: with TandemClient a plain function runs on the event loop and holds it up; true: in a thread.
        """

        def provide(function: Function) -> Function:
            self._host().provide_tool(
                function,
                name=name,
                description=description,
                parameters=parameters,
                permission=permission,
                timeout=timeout,
                in_thread=in_thread,
            )
            self._core.has_provided()
            return function

        return provide if function is None else provide(function)

    def provide_model(
        self,
        name: str,
        function: Callable[[Any], Any],
        *,
        context_tokens: int | None = None,
        tools: bool = False,
        timeout: float | None = None,
    ) -> Provider:
        """Provides a model to the embedded engine, {"provider_id": "host", "model_id": name}.

        function: gets an OpenAI chat request ("messages", "tools", ...). It returns the answer, or yields it piece by piece:
            each piece a text or an OpenAI delta. An answer is a text, an OpenAI message (with "tool_calls", where it calls
            tools), or {"message", "finish_reason", "usage"}, which may also be the last that is yielded. It may be a
            coroutine function or an asynchronous generator. What it raises ends the run.
        context_tokens: how long its context is.
        tools: whether it is offered tools.
        timeout: seconds that it may be silent, 120 by default.
        """
        provider = self._host().provide_model(name, function, context_tokens, tools, timeout)
        self._core.has_provided()
        return provider

    @overload
    def on_permission(self, function: Function, /) -> Function: ...

    @overload
    def on_permission(self, /, *, timeout: float | None = None) -> Callable[[Function], Function]: ...

    def on_permission(self, function: Any = None, /, *, timeout: float | None = None) -> Any:
        """Makes a function decide which tool calls may run: a decorator, plain or with arguments; on every engine.

        It gets "tool", "args", "request_id", "session_id", "run_id", "requested_at_ms", "expires_at_ms" and returns "once",
        "always" or "reject", or true or false. What it raises rejects. It may be a coroutine function.
        """
        return self._decide("permission", function, timeout)

    @overload
    def on_question(self, function: Function, /) -> Function: ...

    @overload
    def on_question(self, /, *, timeout: float | None = None) -> Callable[[Function], Function]: ...

    def on_question(self, function: Any = None, /, *, timeout: float | None = None) -> Any:
        """Makes a function answer what models ask their user: a decorator, plain or with arguments; on every engine.

        It gets "questions", "request_id", "session_id", "run_id" and returns the answer, a list with one for each question,
        or None to dismiss them. What it raises dismisses them. It may be a coroutine function. The model of a running
        tandem-engine does not wait for the answer: only sessions.run sends it on.
        """
        return self._decide("question", function, timeout)

    def _decide(self, kind: str, function: Any, timeout: float | None) -> Any:
        def provide(function: Function) -> Function:
            self._host().provide_decision(kind, function, timeout)
            self._core.has_provided()
            return function

        return provide if function is None else provide(function)

    def withdraw(self, what: Provider | Callable[..., Any] | str) -> None:
        """Takes back what was provided: the provider, the function, or the tool or model of that name."""
        self._host().withdraw(what)
