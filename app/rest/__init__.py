"""The engine over HTTP: routes, pages, exports, transactions, idempotency."""
