"""The change log, written in the transaction of each write."""
