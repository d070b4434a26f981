"""Exit status 0 while the server on this machine is ready: the health check of the container.

No command of ours and no settings are loaded for it: it runs every ten seconds.
"""

import os
import ssl
import sys
from urllib.error import URLError
from urllib.request import urlopen

PREFIX = "TRADE_MISSIONS_"


def main() -> str | None:
    """None when it is ready, or why it is not."""
    port = os.environ.get(f"{PREFIX}PORT") or "8000"
    scheme = "https" if os.environ.get(f"{PREFIX}TLS_CERTIFICATE") else "http"
    # The certificate is for the name that the world knows, not for this loopback address.
    trusting = ssl._create_unverified_context()  # noqa: S323
    try:
        urlopen(f"{scheme}://127.0.0.1:{port}/health/ready", timeout=4, context=trusting).close()  # noqa: S310
    except (URLError, OSError) as error:
        return f"not ready: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main())
