"""What to do about an error that a set-up can cause, by its class or its AWS code: told once.

Errors carry it as a note, `NoCredentialsError` as `next_step`, explanations as the fix of a
finding. It speaks to those who write code; the command line puts its options in their place.
"""

from __future__ import annotations

from asession.exceptions import ClientError

_LOGIN = "run `aws login{profile}`"
_SSO_LOGIN = "the SSO login is missing or has ended: run `aws sso login{profile}`"
_ENDED = "the credentials have ended: get new ones, or log in again; temporary keys that are kept "
_ENDED += "in a file or in the environment have to be replaced there, with their session token"
_CLOCK = "the clock of this machine is wrong: set it (on Linux with NTP: `timedatectl`)"
_ROLE = (
    "mend the profile: a role needs `role_arn`, and either a `source_profile` that exists and has "
    "credentials, or a `credential_source`: Environment, EcsContainer or Ec2InstanceMetadata"
)
_SSO = (
    "mend the profile: `sso_session` must name a section [sso-session NAME] with `sso_start_url` "
    "and `sso_region`, next to `sso_account_id` and `sso_role_name` (`aws configure sso{profile}`)"
)

_CONTAINER_HOST = (
    "mend or unset AWS_CONTAINER_CREDENTIALS_FULL_URI: over http it may name 127.0.0.1, "
    "169.254.170.2, 169.254.170.23 or [fd00:ec2::23] alone, over https any host"
)
_CONTAINER = (
    "this container gives no credentials: check its task role or pod identity; outside of one, "
    "unset AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
)
_IDENTITY_FILE = (
    "that file must exist and be readable for this process: mend the path, or mount the token"
)

PROCESS = (
    "run the command of `credential_process` by hand: it must exist, end with status 0 and print "
    "JSON with Version 1, AccessKeyId and SecretAccessKey"
)
NETWORK = "check the region, the network and the proxy (HTTPS_PROXY)"
ENDPOINT = "an endpoint is a URL such as http://127.0.0.1:4566; mend {endpoint}"
UNREACHABLE = "nothing answers there: start that server, or mend or unset {endpoint}"

# Told by name: the classes are botocore's, each behind the AWS door.
_BY_CLASS = {
    "ProfileNotFound": "choose one of those that exist (`asession profiles` lists them), or make "
    "it with `aws configure --profile NAME`",
    "ConfigParseError": "mend that line: sections are [default], [NAME] in the credentials file and"
    " [profile NAME] in the config file, each once, and each key is once in its section, as a line "
    "such as `region = us-east-1`",
    "SSOTokenLoadError": _SSO_LOGIN,
    "UnauthorizedSSOTokenError": _SSO_LOGIN,
    "TokenRetrievalError": _SSO_LOGIN,
    "PendingAuthorizationExpiredError": _SSO_LOGIN,
    "LoginRefreshRequired": _LOGIN,
    "LoginTokenLoadError": _LOGIN,
    "MFARequiredError": "run it in a terminal, or give Session(mfa=...), an async function that "
    "returns a code",
    "InfiniteLoopConfigError": "the `source_profile` of these roles go round in a circle: let one "
    "of them name a profile that has keys, an SSO login or a credential_process",
    "PartialCredentialsError": "give both aws_access_key_id and aws_secret_access_key there",
    "InvalidSettingError": "mend or remove that setting",
    "NoRegionError": "give region_name=, set AWS_REGION, or put `region = NAME` into the profile",
    "InvalidRegionError": "a region is a name such as us-east-1 or eu-central-1: mend AWS_REGION, "
    "`region` in the profile, or region_name=",
    "NoCredentialsError": "log in (`aws sso login` or `aws login`), set keys with "
    "`aws configure{profile}`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a "
    "profile that has some with profile_name= (`asession profiles` lists them)",
    "SSLError": "the certificate is not trusted: name the CA bundle in AWS_CA_BUNDLE",
    "ProxyConnectionError": "the proxy does not answer: mend or unset HTTPS_PROXY and HTTP_PROXY, "
    "or list hosts that need none in NO_PROXY",
    "MetadataRetrievalError": "the metadata service did not answer as it should: check the role of "
    "the instance or container",
    "ConfigNotFound": "that file must exist: mend or unset the variable that names it",
    "MissingDependencyException": "install it: `pip install 'asession[crt]'`",
    "DataNotFoundError": "mend or unset AWS_DATA_PATH, or upgrade botocore",
    "TimeoutError": "check the network, the proxy and the program or service that was asked",
}
_BY_CODE = {
    "ExpiredToken": _ENDED,
    "ExpiredTokenException": _ENDED,
    "InvalidToken": "the session token does not belong to the access key: give all three values "
    "of one set of temporary keys",
    "RequestExpired": _CLOCK,
    "RequestTimeTooSkewed": _CLOCK,
    "InvalidClientTokenId": "AWS does not know this access key: it was deleted, mistyped, lacks "
    "its session token, or is of another partition; `asession explain` says where it comes from",
    "UnrecognizedClientException": "AWS does not know this access key: it was deleted, mistyped, "
    "lacks its session token, or is of another partition",
    "SignatureDoesNotMatch": "the secret access key does not belong to the access key: copy it "
    "again, without quotes or blanks; or the clock of this machine is wrong",
    "AccessDenied": "these credentials may not do this: for a role, its trust policy must name "
    "them, and `role_arn` must be right",
    "UnauthorizedException": _SSO_LOGIN,
    "ForbiddenException": "this login may not use the account and the role of the profile: mend "
    "sso_account_id and sso_role_name",
    "IDPCommunicationError": "AWS could not ask the identity provider: try again",
    "InvalidIdentityToken": "the web identity token was refused: it has ended, or its provider is "
    "not the one that the account knows",
}
# By what stands in the message, where the class says too little.
_BY_MESSAGE = (
    ("custom-process", PROCESS),
    ("Infinite loop", _BY_CLASS["InfiniteLoopConfigError"]),
    ("sso_", _SSO),
    ("sso-session", _SSO),
    ("Unsupported host", _CONTAINER_HOST),
    ("container metadata", _CONTAINER),
    ("token file", _IDENTITY_FILE),
    ("Signature expired", _CLOCK),
    ("Signature not yet current", _CLOCK),
    ("Invalid endpoint", ENDPOINT),
    ("botocore_session=", "give it what the message says, or leave botocore_session= out"),
)


def advice_for(error: BaseException, profile: str) -> str | None:
    """What to do about an error, or `None` if nobody knows.

    Args:
        error: The error.
        profile: The profile in force.
    """
    step = _step(error)
    return None if step is None else filled(step, profile)


def annotate(error: BaseException, profile: str) -> None:
    """Add to an error, as a note, what to do about it, where that is known.

    Args:
        error: The error.
        profile: The profile in force.
    """
    step = advice_for(error, profile)
    if step is not None and step not in getattr(error, "__notes__", ()):
        error.add_note(step)


def advice_about(name: str, profile: str) -> str:
    """What to do about an error of a class, of which there is advice.

    Args:
        name: The name of the class.
        profile: The profile in force.
    """
    return filled(_BY_CLASS[name], profile)


def filled(step: str, profile: str, endpoint: str | None = None) -> str:
    """A piece of advice for one profile and one endpoint."""
    chosen = "" if profile in ("", "default") else f" --profile {profile}"
    where = "endpoint_url= or AWS_ENDPOINT_URL" if endpoint is None else endpoint
    return step.replace("{profile}", chosen).replace("{endpoint}", where)


def _step(error: BaseException) -> str | None:
    message = str(error)
    if isinstance(error, ClientError):
        for text, step in _BY_MESSAGE:
            if step is _CLOCK and text in message:
                return step
        return _BY_CODE.get(str(error.response.get("Error", {}).get("Code", "")))
    names = [kind.__name__ for kind in type(error).__mro__]
    if "PartialCredentialsError" in names and "assume-role" in message:
        return _ROLE
    if "InvalidConfigError" not in names:
        known = next((_BY_CLASS[name] for name in names if name in _BY_CLASS), None)
        if known is not None:
            return known
    for text, step in _BY_MESSAGE:
        if text in message:
            return step
    return _ROLE if "InvalidConfigError" in names else None
