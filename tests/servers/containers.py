"""The credential endpoints of containers: ECS tasks and EKS pod identity."""

from __future__ import annotations

from servers.calls import Call
from servers.messages import RecordedRequest, Reply
from servers.mint import ACCOUNT, Mint

ECS_PATH = "/v2/credentials/task"
EKS_PATH = "/v1/credentials"


class Containers:
    """``container:GetCredentials``, at `ECS_PATH` and `EKS_PATH`; the keys are issued for the path.

    EKS tells the account, ECS does not.

    Attributes:
        authorizations: The Authorization headers that are let in; `None` lets in all, also none.
    """

    def __init__(self, mint: Mint) -> None:
        self.authorizations: set[str] | None = None
        self._mint = mint

    def recognise(self, request: RecordedRequest) -> Call | None:
        """See `Part`."""
        if not request.path.startswith((ECS_PATH, EKS_PATH)):
            return None
        token = request.headers.get("authorization")
        return Call("container:GetCredentials", {"path": request.target}, token=token)

    def answer(self, call: Call, request: RecordedRequest) -> Reply:
        """See `Part`."""
        if self.authorizations is not None and call.token not in self.authorizations:
            return self.failure("AccessDenied", 401, "the token is not known")
        keys = self._mint.issue(request.path).flat()
        if request.path.startswith(EKS_PATH):
            return Reply.json({**keys, "AccountId": ACCOUNT})
        return Reply.json({**keys, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/task"})

    def failure(self, code: str, status: int, message: str) -> Reply:
        """See `Part`."""
        return Reply.json({"code": code, "message": message}, status)
