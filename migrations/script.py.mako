<%!
def told(commands):
    """The commands without Alembic's remarks about them."""
    lines = (commands or "pass").splitlines()
    return "\n".join(line for line in lines if "# ###" not in line).strip()
%>"""${message[:1].upper() + message[1:].rstrip(".")}.

Revision: ${up_revision}, after ${down_revision or "nothing"}.
"""

import sqlalchemy as sa
from alembic import op

from app.core.databases import types
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${told(upgrades)}


def downgrade() -> None:
    ${told(downgrades)}
