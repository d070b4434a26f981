"""Receipts: answers that are kept, to be compared with what is answered later."""
