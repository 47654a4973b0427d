"""What to do about an error: the errors that a set-up can cause, by class or by AWS code."""

from __future__ import annotations

from asession._cli.findings import Finding
from asession.exceptions import ClientError

_LOGIN = "run `aws login{profile}`"
_SSO_LOGIN = "the SSO login is missing or has ended: run `aws sso login{profile}`"
_PROCESS = (
    "run the command of `credential_process` by hand: it must exist, end with status 0 and print "
    "JSON with Version 1, AccessKeyId and SecretAccessKey"
)
_ENDPOINT = "an endpoint is a URL such as http://127.0.0.1:4566; mend {endpoint}"
_UNREACHABLE = "nothing answers there: start that server, or mend or unset {endpoint}"
_NETWORK = "check the region, the network and the proxy (HTTPS_PROXY)"

# Told by name: the classes are botocore's, each behind the AWS door.
_BY_CLASS = {
    "ProfileNotFound": "see `asession profiles`, or make it with `aws configure --profile NAME`",
    "ConfigParseError": "mend that line: sections are [default], [NAME] in the credentials file and"
    " [profile NAME] in the config file, and each key is a line such as `region = us-east-1`",
    "SSOTokenLoadError": _SSO_LOGIN,
    "UnauthorizedSSOTokenError": _SSO_LOGIN,
    "TokenRetrievalError": _SSO_LOGIN,
    "PendingAuthorizationExpiredError": _SSO_LOGIN,
    "LoginRefreshRequired": _LOGIN,
    "LoginTokenLoadError": _LOGIN,
    "MFARequiredError": "run it in a terminal; in code give Session(mfa=...)",
    "InfiniteLoopConfigError": "the `source_profile` of these roles go round in a circle: let one "
    "of them name a profile that has keys, an SSO login or a credential_process",
    "InvalidConfigError": "mend the profile: a role needs `role_arn`, and a `source_profile` that "
    "has credentials or a `credential_source`",
    "PartialCredentialsError": "give both aws_access_key_id and aws_secret_access_key there",
    "InvalidSettingError": "mend or remove that setting",
    "NoRegionError": "give --region, set AWS_REGION, or put `region = NAME` into the profile",
    "InvalidRegionError": "a region is a name such as us-east-1 or eu-central-1: mend AWS_REGION, "
    "`region` in the profile, or --region",
    "NoCredentialsError": "log in (`aws sso login` or `aws login`), set keys with "
    "`aws configure{profile}`, or choose a profile that has some: see `asession profiles`",
    "InvalidEndpointDiscoveryConfigurationError": "mend or remove that setting",
    "SSLError": "the certificate is not trusted: name the CA bundle in AWS_CA_BUNDLE",
    "ProxyConnectionError": "the proxy does not answer: mend or unset HTTPS_PROXY and HTTP_PROXY",
    "MetadataRetrievalError": "the metadata service did not answer as it should: check the role of "
    "the instance or container",
}
_CONNECTING = {"EndpointConnectionError", "HTTPClientError", "ResponseParserError"}
_BY_CODE = {
    "ExpiredToken": "the credentials have ended: get new ones, or log in again",
    "ExpiredTokenException": "the credentials have ended: get new ones, or log in again",
    "RequestExpired": "the clock of this machine is wrong: set it",
    "InvalidClientTokenId": "AWS does not know this access key: it was deleted, mistyped, or is of "
    "another partition; `asession explain` says where it comes from",
    "SignatureDoesNotMatch": "the secret access key does not belong to the access key, or the "
    "clock of this machine is wrong",
    "AccessDenied": "these credentials may not do this: for a role, its trust policy must name "
    "them, and `role_arn` must be right",
    "UnauthorizedException": _SSO_LOGIN,
    "ForbiddenException": "this login may not use the account and the role of the profile: mend "
    "sso_account_id and sso_role_name",
}


def finding_of(
    error: BaseException, *, profile: str | None = None, endpoint: str | None = None
) -> Finding:
    """An error as a finding.

    Args:
        error: What was raised.
        profile: The profile in force, if one is known.
        endpoint: Who gave the endpoint, if it is not AWS's own.
    """
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    names = [kind.__name__ for kind in type(error).__mro__]
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        step = _BY_CODE.get(code, "see what the service says above")
        return Finding("error", _one_line(error), _filled(step, profile, endpoint))
    reason = getattr(error, "reason", "")
    if "NoCredentialsError" in names and isinstance(reason, str) and reason:
        cause = f"no credentials: {reason}"
    else:
        cause = _one_line(error)
    return failed(names, cause, profile=profile, endpoint=endpoint)


def failed(
    names: list[str], cause: str, *, profile: str | None = None, endpoint: str | None = None
) -> Finding:
    """A finding about an error whose class and message are known.

    Args:
        names: The names of its class and of that one's bases.
        cause: Its message.
        profile: See `finding_of`.
        endpoint: See `finding_of`.
    """
    step = next((_BY_CLASS[name] for name in names if name in _BY_CLASS), None)
    if "CredentialRetrievalError" in names and "custom-process" in cause:
        if cause.endswith(":"):
            cause += " the command failed and wrote nothing to its standard error"
        step = _PROCESS
    elif step is None and "Invalid endpoint" in cause:
        step = _ENDPOINT
    elif step is None and _CONNECTING.intersection(names):
        step = _NETWORK if endpoint is None else _UNREACHABLE
    if step is None:
        if "BotoCoreError" in names or "AsessionError" in names:
            step = "mend what the message names; `asession explain` shows where settings come from"
        else:
            cause = f"unexpected: {names[0]}: {cause}"
            step = "run `asession --traceback ...` to see where it comes from, and report it"
    return Finding("error", cause, _filled(step, profile, endpoint))


def _filled(step: str, profile: str | None, endpoint: str | None) -> str:
    chosen = "" if profile in (None, "default") else f" --profile {profile}"
    where = "--endpoint-url or AWS_ENDPOINT_URL" if endpoint is None else endpoint
    return step.replace("{profile}", chosen).replace("{endpoint}", where)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
