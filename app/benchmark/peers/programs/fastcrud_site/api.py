"""The endpoints."""

import os
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI
from fastcrud import FastCRUD, FilterConfig, JoinConfig, crud_router
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from .database import engine_of
from .models import Agreement, Organization, Party
from .schemas import AgreementCreate, AgreementRead, AgreementUpdate, OrganizationRead, Page


def create_app() -> FastAPI:
    """The application on the database of BENCHMARK_URL."""
    sessions = async_sessionmaker(
        engine_of(os.environ["BENCHMARK_URL"]), expire_on_commit=False, class_=AsyncSession
    )
    app = FastAPI()

    async def session() -> AsyncIterator[AsyncSession]:
        async with sessions() as opened:
            yield opened

    @app.get("/full-agreements", response_model=Page)
    async def list_full(
        database: Annotated[AsyncSession, Depends(session)], status: str
    ) -> dict[str, Any]:
        return await full_page(database, status)

    app.include_router(
        crud_router(
            session=session,
            model=Agreement,
            create_schema=AgreementCreate,
            update_schema=AgreementUpdate,
            select_schema=AgreementRead,
            path="/agreements",
            filter_config=FilterConfig(status=None, amount__gte=None),
        )
    )
    return app


async def full_page(database: AsyncSession, status: str) -> dict[str, Any]:
    """The dearest agreements with their parties: one question for each table, as FastCRUD advises
    instead of a question for each record."""
    agreements = await FastCRUD(Agreement).get_multi(
        database,
        limit=50,
        # PostgreSQL would put what has no amount first.
        amount__gte=0,
        sort_columns=["amount", "id"],
        sort_orders=["desc", "desc"],
        status=status,
    )
    found = agreements["data"]
    parties = await FastCRUD(Party).get_multi_joined(
        database,
        joins_config=[
            JoinConfig(
                model=Organization,
                join_on=Party.organization_id == Organization.id,
                join_prefix="organization_",
                schema_to_select=OrganizationRead,
            )
        ],
        nest_joins=True,
        limit=None,
        sort_columns=["agreement_id", "position"],
        agreement_id__in=[one["id"] for one in found],
    )
    by_agreement: dict[UUID, list[dict[str, Any]]] = {}
    for party in parties["data"]:
        by_agreement.setdefault(party["agreement_id"], []).append(party)
    return {"data": [{**one, "parties": by_agreement.get(one["id"], [])} for one in found]}
