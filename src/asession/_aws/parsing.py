"""A session's response parsers: made once per protocol, with fast timestamps and planned shapes."""

from __future__ import annotations

from typing import Any, ClassVar

from aiobotocore.parsers import (
    AioEC2QueryParser,
    AioJSONParser,
    AioQueryParser,
    AioResponseParserFactory,
    AioRestJSONParser,
    AioRestXMLParser,
)

from asession._aws.plans import PlannedJson, PlannedRest, PlannedXml
from asession._aws.streams import use_event_streams
from asession._aws.timestamps import parse_timestamp


class RestXmlParser(PlannedRest, PlannedXml, AioRestXMLParser):
    """Parses responses of S3, Route 53, CloudFront."""


class QueryParser(PlannedXml, AioQueryParser):
    """Parses responses of STS, IAM, RDS."""


class Ec2QueryParser(PlannedXml, AioEC2QueryParser):
    """Parses responses of EC2."""


class JsonParser(PlannedJson, AioJSONParser):
    """Parses responses of DynamoDB, SQS, ECS."""


class RestJsonParser(PlannedRest, PlannedJson, AioRestJSONParser):
    """Parses responses of Lambda, API Gateway, SSO."""


class ParserFactory(AioResponseParserFactory):
    """A session's parsers, one per protocol.

    Lives as long as the session's live state; nothing to close.
    """

    _CLASSES: ClassVar[dict[str, Any]] = {
        "ec2": Ec2QueryParser,
        "json": JsonParser,
        "query": QueryParser,
        "rest-json": RestJsonParser,
        "rest-xml": RestXmlParser,
    }

    def __init__(self) -> None:
        super().__init__()
        self._parsers: dict[str, Any] = {}
        self.set_parser_defaults(timestamp_parser=parse_timestamp)

    def set_parser_defaults(self, **kwargs: Any) -> None:
        """Use other parsers of timestamps or blobs from now on."""
        super().set_parser_defaults(**kwargs)
        self._parsers = {}

    def create_parser(self, protocol_name: str) -> Any:
        """The parser of a protocol: the same one until the defaults change."""
        parser = self._parsers.get(protocol_name)
        if parser is None:
            own = self._CLASSES.get(protocol_name)
            parser = super().create_parser(protocol_name) if own is None else own(**self._defaults)
            use_event_streams(parser)
            self._parsers[protocol_name] = parser
        return parser
