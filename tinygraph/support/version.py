"""The version of the package, for everyone who needs it without loading the package."""

__version__ = "0.1.0"
