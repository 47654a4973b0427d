"""Servers in child processes, as the testing kit starts them."""

from __future__ import annotations

from asession.testing.process import HOST as HOST
from asession.testing.process import Server as Server
from asession.testing.process import ServerFailedError as ServerFailedError
from asession.testing.process import ServerSpec as ServerSpec
from asession.testing.process import child_environ as child_environ
from asession.testing.process import free_ports as free_ports
from asession.testing.process import running as running
from asession.testing.process import start as start
