"""The key that the tests call with."""

#: An admin key; servers that tests start take it from TRADE_MISSIONS_ADMIN_KEY.
ADMIN_KEY = "tmd_testtest_" + "k" * 43
BEARER = {"Authorization": f"Bearer {ADMIN_KEY}"}

#: What history calls whoever calls with it.
ADMIN = "admin"
