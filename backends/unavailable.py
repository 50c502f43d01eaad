"""Why a backend cannot be used here."""


class Unavailable(Exception):
    """The reason, and the command that mends it."""
