"""The attempts of one call: request objects, events and retries, without what nobody listens to."""

from __future__ import annotations

import logging
from typing import Any

from aiobotocore.endpoint import AnyioEndpoint, convert_to_response_dict
from aiobotocore.httpchecksum import handle_checksum_body
from aiobotocore.retries.standard import AnyioRetryHandler
from botocore.awsrequest import AWSRequest, AWSRequestPreparer
from botocore.exceptions import HTTPClientError
from botocore.history import get_global_history_recorder
from botocore.hooks import first_non_none_response
from botocore.retries.standard import ThrottledRetryableChecker

from asession._aws.emitter import EventEmitter
from asession._aws.headers import Headers, RequestHeaders
from asession._aws.http_session import HttpSession
from asession._aws.retries import needs_no_retry
from asession._aws.uploads import is_spent
from asession.observe.events import AttemptFailed
from asession.observe.reporting import SILENT, Reporter

# Where upstream logs attempts: whoever turned that on still sees them.
_logger = logging.getLogger("botocore.endpoint")

# By these codes services ask for fewer requests.
_THROTTLED = frozenset(ThrottledRetryableChecker._THROTTLED_ERROR_CODES)
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class Preparer(AWSRequestPreparer):
    """Makes a request final: its headers in one go. Lives as long as its request."""

    def _prepare_headers(self, original: Any, prepared_body: Any = None) -> Any:
        given = original.headers
        if type(given) is not RequestHeaders:
            return super()._prepare_headers(original, prepared_body)
        headers = Headers()
        entries = headers._dict
        encode = given.encoded
        for name, value in given.items():
            lower = name.lower()
            present = entries.get(lower)
            final = value.encode("utf-8") if encode and type(value) is str else value
            entries[lower] = (name if present is None else present[0], final)
        if "transfer-encoding" in entries or "content-length" in entries:
            return headers
        if original.method not in _BODILESS:
            length = self._determine_content_length(prepared_body)
            if length is None:
                headers["Transfer-Encoding"] = "chunked"
            else:
                headers["Content-Length"] = str(length)
        return headers


class Request(AWSRequest):
    """A request that handlers may change until it is prepared. Lives for one attempt."""

    _REQUEST_PREPARER_CLS = Preparer

    def __init__(self, given: Any) -> None:
        # botocore's constructor would make another kind of headers, one by one.
        self._request_preparer = self._REQUEST_PREPARER_CLS()
        self.method = given["method"]
        self.url = given["url"]
        self.headers = headers = RequestHeaders()
        self.data = given["body"]
        self.params: Any = {}
        self.auth_path = given.get("auth_path")
        self.stream_output = False
        self.context = given["context"]
        for name, value in given["headers"].items():
            headers[name] = value


class _Plan:
    """What does not change between two calls of one operation. Lives as long as the client."""

    __slots__ = ("before_parse", "before_send", "created", "needs_retry", "received", "streams")

    def __init__(self, operation: Any) -> None:
        model = operation.service_model
        name = f"{model.service_id.hyphenize()}.{operation.name}"
        self.created = f"request-created.{name}"
        self.before_send = f"before-send.{name}"
        self.before_parse = f"before-parse.{name}"
        self.received = f"response-received.{name}"
        self.needs_retry = f"needs-retry.{name}"
        self.streams = bool(operation.has_streaming_output or operation.has_event_stream_output)


class Endpoint(AnyioEndpoint):
    """A client's endpoint: as upstream's, and events without a handler cost next to nothing.

    Lives as long as its client, which closes it.
    """

    _plans: dict[Any, _Plan]
    _emitter: EventEmitter
    _reporter: Reporter = SILENT
    _region: str | None = None

    @classmethod
    def replacing(cls, endpoint: Any) -> Any:
        """An endpoint with another one's state, to be put in its place.

        Only for our own transport, and only if upstream made what it makes for that.
        """
        events = endpoint._event_emitter
        if (
            type(endpoint) is not AnyioEndpoint
            or not isinstance(endpoint.http_session, HttpSession)
            or type(events) is not EventEmitter
        ):
            return endpoint
        self = cls.__new__(cls)
        self.__dict__.update(vars(endpoint))
        self._plans = {}
        self._emitter = events
        return self

    def report_to(self, reporter: Reporter, region: str | None) -> None:
        """Report attempts that fail, as those of a client in a region."""
        self._reporter = reporter
        self._region = region

    def _plan(self, operation: Any) -> _Plan:
        plan = self._plans.get(operation)
        if plan is None:
            plan = self._plans[operation] = _Plan(operation)
        return plan

    async def create_request(self, params: Any, operation_model: Any = None) -> Any:
        """The request of one attempt, signed and final."""
        if operation_model is None:
            return await super().create_request(params)
        plan = self._plan(operation_model)
        request = Request(params)
        request.stream_output = plan.streams
        await self._emitter.emit(plan.created, request=request, operation_name=operation_model.name)
        return self.prepare_request(request)

    def _encode_headers(self, headers: Any) -> None:
        if type(headers) is RequestHeaders:
            headers.encoded = True  # the preparer does it, in the walk that it makes anyway
        else:
            super()._encode_headers(headers)

    async def _get_response(self, request: Any, operation_model: Any, context: Any) -> Any:
        success, exception = await self._do_get_response(request, operation_model, context)
        name = self._plan(operation_model).received
        if self._emitter.handlers_of(name):
            parsed = response = None
            if success is not None:
                parsed = success[1]
                response = await convert_to_response_dict(success[0], operation_model)
            await self._emitter.emit(
                name,
                response_dict=response,
                parsed_response=parsed,
                context=context,
                exception=exception,
            )
        return success, exception

    async def _do_get_response(self, request: Any, operation_model: Any, context: Any) -> Any:
        plan, emitter = self._plan(operation_model), self._emitter
        recorder = get_global_history_recorder()
        try:
            if _logger.isEnabledFor(logging.DEBUG):
                _logger.debug("Sending http request: %s", request)
            if recorder._enabled:
                recorder.record(
                    "HTTP_REQUEST",
                    {
                        "method": request.method,
                        "headers": request.headers,
                        "streaming": operation_model.has_streaming_input,
                        "url": request.url,
                        "body": request.body,
                    },
                )
            response = None
            if emitter.handlers_of(plan.before_send):
                response = first_non_none_response(
                    await emitter.emit(plan.before_send, request=request)
                )
            if response is None:
                response = await self._send(request)
        except HTTPClientError as error:
            return None, error
        except Exception as error:
            _logger.debug("Exception received when sending HTTP request.", exc_info=True)
            return None, error
        given = await convert_to_response_dict(response, operation_model)
        await handle_checksum_body(response, given, context, operation_model)
        if recorder._enabled:
            streaming = operation_model.has_streaming_output
            recorder.record("HTTP_RESPONSE", {**given, "streaming": streaming})
        customized: dict[str, Any] = {}
        if emitter.handlers_of(plan.before_parse):
            await emitter.emit(
                plan.before_parse,
                operation_model=operation_model,
                response_dict=given,
                customized_response_dict=customized,
            )
        parser = self._response_parser_factory.create_parser(
            operation_model.service_model.resolved_protocol
        )
        parsed = await parser.parse(given, operation_model.output_shape)
        parsed.update(customized)
        if response.status_code >= 300:
            await self._add_modeled_error_fields(given, parsed, operation_model, parser)
        recorder.record("PARSED_RESPONSE", parsed)
        return (response, parsed), None

    async def _needs_retry(
        self,
        attempts: int,
        operation_model: Any,
        request_dict: Any,
        response: Any = None,
        caught_exception: Any = None,
    ) -> bool:
        name = self._plan(operation_model).needs_retry
        handlers = self._emitter.handlers_of(name)
        context = request_dict["context"]
        if is_spent(context):
            # The quota that upstream's handler would draw for a try that cannot be is not given
            # back: the client's other calls would lose their tries.
            handlers = [handler for handler in handlers if not _draws_quota(handler)]
        if response is not None:
            handlers = [
                handler for handler in handlers if not needs_no_retry(handler, response[0], context)
            ]
        status = None if response is None else response[0].status_code
        failed = status is None or (status >= 300 and status != 304)  # nothing has changed
        delay = None
        try:
            if handlers:
                told = {
                    "response": response,
                    "endpoint": self,
                    "operation": operation_model,
                    "attempts": attempts,
                    "caught_exception": caught_exception,
                    "request_dict": request_dict,
                }
                delay = first_non_none_response(await self._emitter.call(handlers, name, told))
                delay = None if delay is False else delay
        finally:  # a handler of legacy mode raises what was caught
            if failed or delay is not None:
                self._report(attempts, operation_model, response, caught_exception, delay)
        if delay is None:
            return False
        _logger.debug("Response received to retry, sleeping for %s seconds", delay)
        await self._sleep(delay)
        return True

    def _report(
        self, attempt: int, operation: Any, response: Any, caught: Any, delay: float | None
    ) -> None:
        error = type(caught).__name__
        if response is not None:
            named = response[1].get("Error")
            code = named.get("Code") if isinstance(named, dict) else None
            error = str(code or response[0].status_code)
        self._reporter.report(
            AttemptFailed(
                service=operation.service_model.service_name,
                operation=operation.name,
                region=self._region,
                attempt=attempt,
                status=None if response is None else response[0].status_code,
                error=error,
                throttled=error in _THROTTLED or error == "429",
                delay=None if delay is None else float(delay),
            )
        )


def _draws_quota(handler: Any) -> bool:
    """Whether it is upstream's handler of standard and adaptive mode."""
    return type(getattr(handler, "__self__", None)) is AnyioRetryHandler
