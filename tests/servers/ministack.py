"""ministack: an AWS emulator on an async server, without its SFTP and MQTT listeners."""

from __future__ import annotations

from asession.testing.kinds import MINISTACK as MINISTACK
