"""The query guide: a page whose every example is run by the tests."""
