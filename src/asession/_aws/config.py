"""botocore's `Config`, under our name."""

from botocore.config import Config as Config
