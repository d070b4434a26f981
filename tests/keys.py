"""The key that the tests call with."""

#: An admin key; servers that tests start take it from TRADE_MISSIONS_ADMIN_KEY.
ADMIN_KEY = "tmd_testtest_" + "k" * 43
BEARER = {"Authorization": f"Bearer {ADMIN_KEY}"}

#: What history calls whoever calls with it.
ADMIN = "admin"


async def make_admin_key(url: str) -> None:
    """Make the key in a migrated database, as the first start would; seeded copies have it."""
    from app.commands.keys import make_first
    from app.settings import Settings

    await make_first(Settings(database_url=url))
