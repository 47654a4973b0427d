"""Clients made from a shared `Service`: aiobotocore's creators, with our parts in their places."""

from __future__ import annotations

from typing import Any

from aiobotocore.args import AioClientArgsCreator
from aiobotocore.client import AioClientCreator
from botocore.exceptions import UnknownServiceError

from asession._aws.attempts import Endpoint
from asession._aws.endpoints import EndpointResolver
from asession._aws.service import Service
from asession._aws.signing import RequestSigner
from asession._aws.validation import use_planned


class ClientCreator(AioClientCreator):
    """Makes one client of a service; upstream's steps, over what the process has ready.

    Args:
        service: The service, loaded.
        arguments: As upstream's creator takes them.
    """

    def __init__(self, service: Service, **arguments: Any) -> None:
        super().__init__(**arguments, exceptions_factory=service.exceptions)
        self._service = service

    def _load_service_model(self, service_name: str, api_version: str | None = None) -> Any:
        return self._service.model

    def _load_service_endpoints_ruleset(
        self, service_name: str, api_version: str | None = None
    ) -> dict[str, Any]:
        if self._service.rules is None:
            raise UnknownServiceError(service_name=service_name, known_service_names="")
        # Nothing to parse: the resolver is given the rules that are ready.
        return {"version": "1.0", "parameters": {}, "rules": []}

    async def _create_client_class(self, service_name: str, service_model: Any) -> type:
        return await self._service.client_class(self._event_emitter)

    async def _get_client_args(self, *arguments: Any) -> dict[str, Any]:
        creator = ArgsCreator(
            self._service,
            event_emitter=self._event_emitter,
            user_agent=self._user_agent,
            response_parser_factory=self._response_parser_factory,
            loader=self._loader,
            exceptions_factory=self._exceptions_factory,
            config_store=self._config_store,
            user_agent_creator=self._user_agent_creator,
        )
        return await creator.get_client_args(*arguments)

    def _register_legacy_retries(self, client: Any) -> None:
        model = client.meta.service_model
        retries = self._transform_legacy_retries(client.meta.config.retries)

        def make() -> Any:
            definitions = self._loader.load_data("_retry")
            config = self._retry_config_translator.build_retry_config(
                model.endpoint_prefix,
                definitions.get("retry", {}),
                definitions.get("definitions", {}),
                retries,
            )
            return self._retry_handler_factory.create_retry_handler(config, model.endpoint_prefix)

        service_id = model.service_id.hyphenize()
        client.meta.events.register(
            f"needs-retry.{service_id}",
            self._service.retry_handler(retries, make),
            unique_id=f"retry-config-{service_id}",
        )


class ArgsCreator(AioClientArgsCreator):
    """Puts together what a client's constructor takes."""

    def __init__(self, service: Service, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._service = service

    async def get_client_args(self, *arguments: Any) -> dict[str, Any]:
        """The constructor's arguments, with our signer, validator and endpoint."""
        parts: dict[str, Any] = await super().get_client_args(*arguments)
        parts["request_signer"] = RequestSigner.replacing(parts["request_signer"])
        use_planned(parts["serializer"])
        parts["endpoint"] = Endpoint.replacing(parts["endpoint"])
        return parts

    def _build_endpoint_resolver(self, *arguments: Any) -> EndpointResolver | None:
        resolver = super()._build_endpoint_resolver(*arguments)
        if resolver is None:
            return None
        return EndpointResolver.replacing(resolver, self._service.rules, self._service.plans)
