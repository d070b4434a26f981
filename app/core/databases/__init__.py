"""SQLite and PostgreSQL, each behind the interface of `app.core.databases.interface`."""
