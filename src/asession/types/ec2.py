"""Types of EC2's resources, for annotations; each is `Any` at run time."""

from asession.types._any import __getattr__ as __getattr__
