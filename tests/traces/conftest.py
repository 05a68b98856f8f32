"""The seeded shop of the pages' tests."""

from tests.pages.conftest import seeded

__all__ = ["seeded"]
