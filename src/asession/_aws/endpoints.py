"""Endpoints resolved by a plan per operation, with the answers remembered by what they depend on.

A service's rule set has up to twenty parameters. For one operation most sources of a parameter are
known to be absent, so the plan keeps the others alone: a fixed value, a member of the call, a
setting of the client, a built-in value. Handlers of ``before-endpoint-resolution`` run at each call
and may change the built-in values; those that come out of it are the ones looked up.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Self

from aiobotocore._helpers import resolve_awaitable
from aiobotocore.regions import AioEndpointRulesetResolver
from botocore.endpoint_provider import EndpointProvider, RuleSetEndpoint
from botocore.exceptions import EndpointProviderError
from botocore.regions import EndpointResolverBuiltins

# Where upstream logs endpoints: whoever turned that on still sees them.
_logger = logging.getLogger("aiobotocore.regions")

_LIMIT = 256  # answers kept per client; S3 needs one for each bucket in use
_BUILTINS = frozenset(builtin.value for builtin in EndpointResolverBuiltins)
_PLAIN = frozenset({str, bool, type(None)})
# The parameters that upstream may note as a feature in the user agent.
_NOTED = frozenset({"AccountId", "AccountIdEndpointMode"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where one parameter of an operation comes from, the first that has a value.

    Attributes:
        name: The parameter.
        fixed: The value the operation always has.
        member: The member of the call that is the parameter.
        searched: The operation finds it in the call with an expression.
        setting: The name among the client's context parameters.
        builtin: The built-in value, which may be a function, awaitable or not.
    """

    name: str
    fixed: Any = None
    member: str | None = None
    searched: bool = False
    setting: str | None = None
    builtin: str | None = None


# By operation.
Plans = dict[Any, tuple[Source, ...]]


class EndpointResolver(AioEndpointRulesetResolver):
    """A client's endpoints. Lives as long as its client; nothing needs closing."""

    _plans: Plans
    _answers: dict[tuple[Any, ...], RuleSetEndpoint]
    _signing: dict[int, tuple[Any, Any, dict[str, Any]]]

    @classmethod
    def replacing(
        cls, resolver: AioEndpointRulesetResolver, rules: EndpointProvider, plans: Plans
    ) -> Self:
        """A resolver with another one's state, to be put in its place.

        Args:
            resolver: The other one.
            rules: The service's rules, shared.
            plans: The plans of the service's operations, shared.
        """
        self = cls.__new__(cls)
        self.__dict__.update(vars(resolver))
        self._provider = rules
        self._param_definitions = rules.ruleset.parameters
        self._plans = plans
        self._answers = {}
        self._signing = {}
        return self

    async def construct_endpoint(
        self, operation_model: Any, call_args: Any, request_context: Any
    ) -> RuleSetEndpoint:
        """The endpoint of one call.

        Raises:
            botocore.exceptions.EndpointProviderError: The rules refuse the parameters.
        """
        call = {} if call_args is None else call_args
        context = {} if request_context is None else request_context
        parameters = await self._get_provider_params(operation_model, call, context)
        if _logger.isEnabledFor(logging.DEBUG):
            _logger.debug("Calling endpoint provider with parameters: %s", parameters)
        relevant = parameters
        if self._provider._excluded_params:  # of S3, for example the key of an object
            relevant = parameters.copy()
            for name in self._provider._excluded_params:
                relevant.pop(name, None)
        key = (*relevant, *relevant.values())
        try:
            answer = self._answers.get(key)
        except TypeError:  # a list of resources, or what no rule takes
            answer = self._resolve(parameters)
        else:
            if answer is None:
                answer = self._resolve(parameters)
                if len(self._answers) >= _LIMIT:
                    self._answers.clear()
                self._answers[key] = answer
        _logger.debug("Endpoint provider result: %s", answer.url)
        # The headers are the caller's to change.
        return RuleSetEndpoint(answer.url, answer.properties, dict(answer.headers))

    async def _get_provider_params(
        self, operation_model: Any, call_args: Any, request_context: Any
    ) -> dict[str, Any]:
        builtins = await self._get_customized_builtins(operation_model, call_args, request_context)
        plan = self._plans.get(operation_model)
        if plan is None:
            plan = self._plans[operation_model] = self._plan(operation_model)
        parameters: dict[str, Any] = {}
        for source in plan:
            value = source.fixed
            if value is None:
                if source.member is not None:
                    value = call_args.get(source.member)
                if value is None and source.searched:
                    value = self._resolve_param_as_operation_context_param(
                        source.name, operation_model, call_args
                    )
                if value is None and source.setting is not None:
                    value = self._client_context.get(source.setting)
                if value is None and source.builtin is not None:
                    if source.builtin not in _BUILTINS:
                        self._resolve_param_as_builtin(source.builtin, builtins)  # raises
                    value = builtins.get(source.builtin)
                    if type(value) not in _PLAIN:
                        value = await resolve_awaitable(value() if callable(value) else value)
            if value is not None:
                parameters[source.name] = value
                if source.name in _NOTED:
                    self._register_endpoint_feature_ids(source.name, value)
        return parameters

    def auth_schemes_to_signing_ctx(self, auth_schemes: Any) -> tuple[Any, dict[str, Any]]:
        """The kind of signature and its context, for an endpoint's ``authSchemes``."""
        known = self._signing.get(id(auth_schemes))
        if known is None or known[0] is not auth_schemes:
            chosen = super().auth_schemes_to_signing_ctx(auth_schemes)
            if len(self._signing) >= _LIMIT:
                self._signing.clear()
            # It holds the list too, so that its identity stays its own.
            known = self._signing[id(auth_schemes)] = (auth_schemes, *chosen)
        # The caller changes the context.
        return known[1], dict(known[2])

    def _plan(self, operation_model: Any) -> tuple[Source, ...]:
        fixed = self._get_static_context_params(operation_model)
        members = self._get_dynamic_context_params(operation_model)
        searched = operation_model.operation_context_parameters
        settings = self._get_client_context_params()
        sources = (
            Source(
                name=name,
                fixed=fixed.get(name),
                member=members.get(name),
                searched=name in searched,
                setting=settings.get(name),
                builtin=definition.builtin,
            )
            for name, definition in self._param_definitions.items()
        )
        return tuple(source for source in sources if source != Source(source.name))

    def _resolve(self, parameters: dict[str, Any]) -> RuleSetEndpoint:
        try:
            found = self._provider.resolve_endpoint(**parameters)
        except EndpointProviderError as error:
            translated = self.ruleset_error_to_botocore_exception(error, parameters)
            if translated is None:
                raise
            raise translated from error
        url = found.url
        if not self._use_ssl and url.startswith("https://") and "Endpoint" not in parameters:
            url = f"http://{url[8:]}"  # rules know of secure transport alone
        headers = {name: values[0] for name, values in found.headers.items()}
        return RuleSetEndpoint(url, found.properties, headers)
