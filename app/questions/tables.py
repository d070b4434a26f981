"""Saved questions: what is stored of them."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.interface import Base
from app.core.databases.types import Instant, JsonText, now


class SavedQuestion(Base):
    """An address of this service under a name, as it is now and as it was."""

    __tablename__ = "saved_question"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    #: What is asked: a path with its query.
    url: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Instant, default=now)
    made_by: Mapped[str] = mapped_column(Text)
    #: JSON list of what the versions before this one were, oldest first.
    earlier: Mapped[str] = mapped_column(JsonText, default="[]")
