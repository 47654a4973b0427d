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
