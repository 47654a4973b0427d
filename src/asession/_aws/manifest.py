"""Each private or overridden symbol of the layers below in use, with a digest of its source.

An upgrade that changes one of them fails a test that names the file to open: read what changed
there, adapt the file, and put the new digest here.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

# file of ours -> symbol of theirs ("module:qualified.name") -> digest of its source
MANIFEST: Mapping[str, Mapping[str, str]] = {
    "_aws/backend.py": {
        "aiobotocore.session:ClientCreatorContext.__aenter__": "9dd043788338",
    },
    "_aws/bodies.py": {
        "botocore.awsrequest:AWSPreparedRequest.reset_stream": "dbe5daa7fa20",
        "botocore.utils:determine_content_length": "227901d0f5bc",
    },
    "_aws/caches.py": {
        "aiobotocore._helpers:resolve_awaitable": "950323865658",
        "botocore.credentials:CachedCredentialFetcher._load_from_cache": "bcc5b1093af4",
    },
    "_aws/catalogue.py": {
        "botocore.loaders:Loader.determine_latest_version": "ba2bafd04efd",
        "botocore.loaders:Loader.list_api_versions": "ba2bafd04efd",
        "botocore.loaders:Loader.list_available_services": "ba2bafd04efd",
        "botocore.loaders:Loader.load_data_with_path": "ba2bafd04efd",
        "botocore.loaders:Loader.load_service_model": "ba2bafd04efd",
    },
    "_aws/chain.py": {
        "aiobotocore.credentials:AioProfileProviderBuilder._create_config_provider": "112ee124e067",
        "aiobotocore.credentials:AioProfileProviderBuilder._create_login_provider": "cb90b050f884",
        "aiobotocore.credentials:AioProfileProviderBuilder._create_process_provider": (
            "7df1a391b76b"
        ),
        "aiobotocore.credentials:AioProfileProviderBuilder._create_shared_credential_provider": (
            "361a74fd2d32"
        ),
        "aiobotocore.credentials:AioProfileProviderBuilder._create_sso_provider": "e117881366b7",
        "aiobotocore.credentials:AioProfileProviderBuilder._create_web_identity_provider": (
            "1b66cfa3edd2"
        ),
        "aiobotocore.credentials:_get_client_creator": "95e795e53646",
        "aiobotocore.credentials:create_credential_resolver": "d5b478c33833",
        "botocore.credentials:ProfileProviderBuilder.__init__": "dadec3db7653",
        "botocore.credentials:_DEFAULT_ADVISORY_REFRESH_TIMEOUT": "bdc5d8a48c23",
        "botocore.httpsession:ProxyConfiguration.__init__": "d5395afc1b0a",
        "botocore.session:Session._resolve_region_name": "c32c55a80290",
        "botocore.tokens:_sso_json_dumps": "dca4a3f71924",
    },
    "_aws/clients.py": {
        "aiobotocore.client:AioBaseClient.__aexit__": "092a98414034",
        "aiobotocore.client:AioBaseClient._make_api_call": "2be96199935a",
        "aiobotocore.client:AioBaseClient.close": "e2851d4d9d55",
        "aiobotocore.client:AioClientCreator._create_client_class": "de098b5896a3",
        "aiobotocore.signers:AioRequestSigner._choose_signer": "4b7473c43f48",
    },
    "_aws/creation.py": {
        "aiobotocore.args:AioClientArgsCreator.get_client_args": "6fa5fa746ad0",
        "botocore.client:BaseClient.__init__": "b1cf92e62539",
    },
    "_aws/emitter.py": {
        "aiobotocore._helpers:resolve_awaitable": "950323865658",
        "aiobotocore.hooks:AioHierarchicalEmitter._emit": "1d720dc37d4e",
        "botocore.hooks:HierarchicalEmitter.__copy__": "93ddeaf4af44",
        "botocore.hooks:HierarchicalEmitter.__init__": "004a83ddd3e1",
        "botocore.hooks:HierarchicalEmitter._register_section": "cdc0885eca51",
    },
    "_aws/endpoints.py": {
        "aiobotocore._helpers:resolve_awaitable": "950323865658",
        "aiobotocore.regions:AioEndpointRulesetResolver._get_customized_builtins": "b02663d6d746",
        "aiobotocore.regions:AioEndpointRulesetResolver._get_provider_params": "48b08eee3d87",
        "aiobotocore.regions:AioEndpointRulesetResolver.construct_endpoint": "ab86e43c64cc",
        "botocore.endpoint_provider:EndpointProvider.__init__": "f0f1d8c35022",
        "botocore.endpoint_provider:EndpointProvider.resolve_endpoint": "53da8e6693ef",
        "botocore.endpoint_provider:RuleSetEndpoint": "67a7a8be1f08",
        "botocore.regions:EndpointRulesetResolver.__init__": "f949b3fbc81d",
        "botocore.regions:EndpointRulesetResolver._get_client_context_params": "a0cb59223a09",
        "botocore.regions:EndpointRulesetResolver._get_dynamic_context_params": "fbb6cca76270",
        "botocore.regions:EndpointRulesetResolver._get_static_context_params": "4620d2768729",
        "botocore.regions:EndpointRulesetResolver._register_endpoint_feature_ids": "76aaaeeb81b3",
        "botocore.regions:EndpointRulesetResolver._resolve_param_as_builtin": "a6b6db7e9bf0",
        "botocore.regions:EndpointRulesetResolver._resolve_param_as_operation_context_param": (
            "39a131921ddf"
        ),
        "botocore.regions:EndpointRulesetResolver._resolve_param_from_context": "d64985d861c9",
        "botocore.regions:EndpointRulesetResolver.auth_schemes_to_signing_ctx": "28dfd1d50bc9",
    },
    "_aws/environ.py": {
        "aiobotocore.configprovider:AioSmartDefaultsConfigStoreFactory.resolve_auto_mode": (
            "441819076ff3"
        ),
        "aiobotocore.utils:AnyioIMDSRegionProvider._get_fetcher_cls": "b4f308c0b843",
        "aiobotocore.utils:AnyioInstanceMetadataRegionFetcher._ref_counted_session_cls": (
            "a9126e349c60"
        ),
        "botocore.configprovider:SmartDefaultsConfigStoreFactory.__init__": "b5756dc011dc",
        "botocore.handlers:add_recursion_detection_header": "3f859b1770ac",
    },
    "_aws/http_session.py": {
        "aiobotocore.awsrequest:AioAWSResponse._content_prop": "8876bef2586d",
        "aiobotocore.eventstream:AioEventStream._create_raw_event_generator": "260f388e42f4",
        "aiobotocore.httpxsession:HttpxSession.__aenter__": "41ba043265fd",
        "aiobotocore.httpxsession:HttpxSession.__aexit__": "54328c06d695",
        "aiobotocore.httpxsession:HttpxSession.__init__": "08a50ac69e92",
        "aiobotocore.httpxsession:HttpxSession.close": "ec91de245e9a",
        "aiobotocore.httpxsession:HttpxSession.send": "b0d1e481c84a",
        "aiobotocore.response:AioStreamingBody.close": "d1232ceb52c9",
        "aiobotocore.response:AioStreamingBody.read": "9c979544c8ab",
        "aiobotocore.utils:_RefCountedSessionMixin.acquire": "d6885ad4d081",
        "botocore.httpsession:ProxyConfiguration.__init__": "d5395afc1b0a",
    },
    "_aws/parsing.py": {
        "aiobotocore.parsers:AioResponseParser.parse": "5b6d314c01a9",
        "aiobotocore.parsers:AioResponseParserFactory.create_parser": "d680c348280e",
        "aiobotocore.parsers:PROTOCOL_PARSERS": "8ffc0d50f652",
        "botocore.parsers:ResponseParser.__init__": "e3c0f5eb19fa",
        "botocore.parsers:ResponseParserFactory.set_parser_defaults": "b1f9e0542612",
    },
    "_aws/plans.py": {
        "botocore.parsers:BaseJSONParser._handle_map": "2bbe776e7fdf",
        "botocore.parsers:BaseJSONParser._handle_structure": "c0149450e982",
        "botocore.parsers:BaseRestParser._handle_list": "3ee61b25a7e1",
        "botocore.parsers:BaseRestParser._handle_string": "3917c02c2c12",
        "botocore.parsers:BaseRestParser._parse_non_payload_attrs": "7058c5c1cc03",
        "botocore.parsers:BaseXMLResponseParser._build_name_to_xml_node": "42c251a94a0c",
        "botocore.parsers:BaseXMLResponseParser._handle_boolean": "876667883dd7",
        "botocore.parsers:BaseXMLResponseParser._handle_integer": "876667883dd7",
        "botocore.parsers:BaseXMLResponseParser._handle_list": "41ac489ed3db",
        "botocore.parsers:BaseXMLResponseParser._handle_string": "876667883dd7",
        "botocore.parsers:BaseXMLResponseParser._handle_structure": "b04ff87ceaf2",
        "botocore.parsers:BaseXMLResponseParser._handle_timestamp": "876667883dd7",
        "botocore.parsers:BaseXMLResponseParser._member_key_name": "7bddfa8c70c3",
        "botocore.parsers:BaseXMLResponseParser._node_tag": "4b3f21d4cbc8",
        "botocore.parsers:ResponseParser.KNOWN_LOCATIONS": "ea216d3e81e1",
        "botocore.parsers:ResponseParser._default_handle": "88c1ab7f9c98",
        "botocore.parsers:ResponseParser._handle_list": "7e734103cb64",
        "botocore.parsers:ResponseParser._has_unknown_tagged_union_member": "d160ac1e4640",
        "botocore.parsers:ResponseParser._parse_shape": "448f05949c38",
        "botocore.parsers:RestXMLParser._handle_string": "876667883dd7",
    },
    "_aws/providers.py": {
        "aiobotocore.credentials:AioAssumeRoleProvider._load_creds_via_assume_role": "77779469b6ca",
        "aiobotocore.credentials:AioAssumeRoleWithWebIdentityProvider.load": "1f62cee65be4",
        "aiobotocore.credentials:AioBotoProvider.load": "adf68f0f0914",
        "aiobotocore.credentials:AioContainerProvider._create_fetcher": "ba9901a6a538",
        "aiobotocore.credentials:AioDeferredRefreshableCredentials.__init__": "6da66cfbfe36",
        "aiobotocore.credentials:AioLoginProvider.load": "f3aa7af24c26",
        "aiobotocore.credentials:AioOriginalEC2Provider.load": "1b4baefb8a11",
        "aiobotocore.credentials:AioProcessProvider._retrieve_credentials_using": "02ee6ec22b14",
        "aiobotocore.credentials:AioSSOProvider.load": "6a6bedb67b72",
        "aiobotocore.credentials:create_mfa_serial_refresher": "80eba201d221",
        "aiobotocore.tokens:AioSSOTokenProvider._refresher": "af20a1544b1c",
        "botocore.credentials:AssumeRoleCredentialFetcher._assume_role_kwargs": "329be8bb8e32",
        "botocore.credentials:AssumeRoleProvider.__init__": "807eb8a8f5a2",
        "botocore.credentials:AssumeRoleWithWebIdentityProvider._get_env_config": "900a57e13a10",
        "botocore.credentials:BotoProvider.__init__": "6b347c9a7bfc",
        "botocore.credentials:ContainerProvider._build_headers": "15809c2c6440",
        "botocore.credentials:OriginalEC2Provider.__init__": "a494ed3b00de",
    },
    "_aws/session.py": {
        "aiobotocore.config:AioConfig.merge": "65382ed00706",
        "aiobotocore.session:AioSession._create_client": "e87fdfc754f6",
        "aiobotocore.session:AioSession._create_credential_resolver": "28712a2e4e19",
        "aiobotocore.session:AioSession._create_token_resolver": "1bb182b55053",
        "aiobotocore.session:AioSession._register_response_parser_factory": "20dc426c3c71",
        "aiobotocore.session:AioSession._register_smart_defaults_factory": "83ab5c2ff8f9",
        "aiobotocore.session:AioSession._set_user_agent_for_session": "b2f0296cb316",
        "aiobotocore.session:AioSession.get_credentials": "288a52de70cd",
        "aiobotocore.session:AioSession.get_service_data": "72cdd8c1e60d",
        "botocore.configprovider:BaseProvider.provide": "c60681c36b92",
        "botocore.endpoint:EndpointCreator._get_verify_value": "f711f6ce8e0e",
        "botocore.httpsession:ProxyConfiguration.__init__": "d5395afc1b0a",
        "botocore.plugin:get_botocore_plugins": "2f942a1a063d",
        "botocore.session:Session.__init__": "2058d533880d",
        "botocore.session:Session._add_configured_endpoint_provider": "c7b48ac87517",
        "botocore.session:Session._register_builtin_handlers": "0a4060d2bd37",
        "botocore.session:Session._register_client_plugins": "764d5eb2f40a",
        "botocore.session:Session._register_config_store": "af256f74f939",
        "botocore.session:Session._register_data_loader": "217146aba7ce",
        "botocore.session:Session._register_endpoint_resolver": "5835d13806ed",
        "botocore.session:Session._register_user_agent_creator": "42797cc8a040",
        "botocore.session:Session.full_config": "b08e11e6f574",
        "botocore.session:Session.get_scoped_config": "b7d54840943d",
        "botocore.session:Session.user_agent": "ddbe1e941d02",
        "botocore.useragent:UserAgentString.__init__": "efcade6bc77d",
        "botocore.useragent:UserAgentString.from_environment": "ed1b2f1e325b",
    },
    "_aws/signing.py": {
        "aiobotocore.signers:AioRequestSigner.get_auth": "4b6f991818fc",
        "aiobotocore.signers:AioRequestSigner.get_auth_instance": "4b6f991818fc",
        "botocore.auth:S3ExpressAuth._modify_request_before_signing": "535f67dacfb7",
        "botocore.auth:S3SigV4Auth._modify_request_before_signing": "0123ee7de45e",
        "botocore.auth:S3SigV4Auth._normalize_url_path": "535591de17c7",
        "botocore.auth:S3SigV4Auth._should_sha256_sign_payload": "56e7cc7d307f",
        "botocore.auth:SigV4Auth.__init__": "43054c3f97e8",
        "botocore.auth:SigV4Auth._inject_signature_to_request": "9ee031dda3b3",
        "botocore.auth:SigV4Auth._is_streaming_checksum_payload": "4c6acf4122bd",
        "botocore.auth:SigV4Auth._modify_request_before_signing": "c5366d6e92e5",
        "botocore.auth:SigV4Auth._normalize_url_path": "40f7593830e8",
        "botocore.auth:SigV4Auth._set_necessary_date_headers": "63f0a54a2d1d",
        "botocore.auth:SigV4Auth._should_sha256_sign_payload": "ff7f1865590a",
        "botocore.auth:SigV4Auth.add_auth": "0a37f12b13c3",
        "botocore.auth:SigV4Auth.canonical_headers": "b730b3c91eeb",
        "botocore.auth:SigV4Auth.canonical_query_string": "20da59ac5e28",
        "botocore.auth:SigV4Auth.canonical_request": "fcddf419e5c4",
        "botocore.auth:SigV4Auth.headers_to_sign": "ab710967c39d",
        "botocore.auth:SigV4Auth.payload": "ef5c4f1d3532",
        "botocore.auth:SigV4Auth.scope": "788d63b21854",
        "botocore.auth:SigV4Auth.signature": "e62ff1176177",
        "botocore.auth:SigV4Auth.signed_headers": "14dfde88d7da",
        "botocore.auth:SigV4Auth.string_to_sign": "5b4ddbeef620",
        "botocore.auth:_host_from_url": "c7103a12a8f4",
        "botocore.awsrequest:AWSRequestPreparer._prepare_body": "30f2f025e970",
        "botocore.signers:RequestSigner.__init__": "c216e1a5853d",
    },
    "_aws/streams.py": {
        "aiobotocore.eventstream:AioEventStream.__anext__": "206e935b9520",
        "aiobotocore.eventstream:AioEventStream._create_raw_event_generator": "260f388e42f4",
        "aiobotocore.eventstream:AioEventStream._parse_event": "e37485e0a243",
        "aiobotocore.eventstream:AioEventStream.get_initial_response": "0f38dd511c09",
        "aiobotocore.parsers:AioResponseParser._create_event_stream": "00d1f8be206c",
        "botocore.eventstream:EventStream.__init__": "e60a5aa9f3c7",
        "botocore.eventstream:EventStream.close": "c9817ded890d",
        "botocore.eventstream:EventStreamBuffer.next": "706a495eb9d1",
    },
    "_aws/timestamps.py": {
        "botocore.compat:get_tzinfo_options": "8be2939426b0",
        "botocore.utils:_parse_timestamp_with_tzinfo": "dc76511bfbc4",
        "botocore.utils:parse_timestamp": "9c99fa67c1d1",
    },
    "_aws/uploads.py": {
        "aiobotocore.httpchecksum:AioAwsChunkedWrapper._make_chunk": "c2c1c003d773",
        "aiobotocore.httpchecksum:_apply_request_trailer_checksum": "865bee50e248",
        "aiobotocore.signers:AioRequestSigner.get_auth_instance": "4b6f991818fc",
        "aiobotocore.signers:AioRequestSigner.sign": "ca8d778d033b",
        "botocore.auth:S3SigV4Auth._modify_request_before_signing": "0123ee7de45e",
        "botocore.auth:S3SigV4Auth._should_sha256_sign_payload": "56e7cc7d307f",
        "botocore.auth:SigV4Auth._is_streaming_checksum_payload": "4c6acf4122bd",
        "botocore.auth:SigV4Auth._should_sha256_sign_payload": "ff7f1865590a",
        "botocore.auth:SigV4Auth.payload": "ef5c4f1d3532",
        "botocore.hooks:_PrefixTrie._get_items": "b4643183131c",
        "botocore.httpchecksum:_apply_request_header_checksum": "67d31539658a",
    },
    "_aws/useragent.py": {
        "botocore.context:get_context": "d63d488bfa2f",
        "botocore.useragent:UserAgentString": "26483d9ecd45",
        "botocore.useragent:UserAgentString.rebuild_and_replace_user_agent_handler": "c516071e306d",
        "botocore.useragent:UserAgentString.to_string": "50d24364f32a",
        "botocore.useragent:modify_components": "724571645248",
    },
    "_aws/variables.py": {
        "botocore.configprovider:_create_config_chain_mapping": "2b25f46397c0",
        "botocore.configprovider:create_botocore_default_config_mapping": "2670a9e5658b",
    },
    "_resources/action.py": {
        "boto3.resources.action:BatchAction.__call__": "798df49bc070",
        "boto3.resources.action:ServiceAction.__call__": "5def062ab817",
        "boto3.resources.action:ServiceAction.__init__": "b51cf44316e2",
        "boto3.resources.action:WaiterAction.__call__": "7370c8d114de",
        "boto3.resources.action:WaiterAction.__init__": "b69338b3d92f",
    },
    "_resources/collection.py": {
        "boto3.resources.collection:CollectionFactory._create_batch_action": "f0c9b270c32f",
        "boto3.resources.collection:CollectionFactory.load_from_definition": "657ba47d36f9",
        "boto3.resources.collection:CollectionManager.__init__": "1d6fe033328a",
        "boto3.resources.collection:CollectionManager.pages": "0403431f4d41",
        "boto3.resources.collection:ResourceCollection.__init__": "a9edb655ba25",
        "boto3.resources.collection:ResourceCollection.pages": "dda70ea6e080",
    },
    "_resources/factory.py": {
        "boto3.resources.factory:ResourceFactory.__init__": "0d3b4ee552dc",
        "boto3.resources.factory:ResourceFactory._create_action": "7181243b69c8",
        "boto3.resources.factory:ResourceFactory._create_autoload_property": "6084f063498f",
        "boto3.resources.factory:ResourceFactory._create_reference": "609edc69523b",
        "boto3.resources.factory:ResourceFactory._create_waiter": "725f35e64ccb",
        "boto3.resources.factory:ResourceFactory.load_from_definition": "dfd271f8ac52",
    },
}


def digest(symbol: str) -> str:
    """A short digest of a symbol's source; of the `repr` for constants.

    Raises:
        LookupError: The symbol is gone.
    """
    source = _source(find(symbol))
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def find(symbol: str) -> Any:
    """The object that a symbol names.

    Raises:
        LookupError: The symbol is gone.
    """
    module_name, _, path = symbol.partition(":")
    try:
        found: Any = import_module(module_name)
        for name in path.split("."):
            found = inspect.getattr_static(found, name)
    except (ImportError, AttributeError):
        raise LookupError(symbol) from None
    return found


def _source(found: Any) -> str:
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, classmethod | staticmethod):
        found = found.__func__
    try:
        return inspect.getsource(inspect.unwrap(found))
    except TypeError:
        return repr(found)


def changes() -> dict[str, dict[str, str | None]]:
    """The symbols whose source differs, by the file of ours that uses them, with the new digests.

    A symbol that is gone has the digest `None`.
    """
    changed: dict[str, dict[str, str | None]] = {}
    for file, symbols in MANIFEST.items():
        for symbol, known in symbols.items():
            try:
                now = digest(symbol)
            except LookupError:
                now = None
            if now != known:
                changed.setdefault(file, {})[symbol] = now
    return changed
