"""The two hottest reads as the documentation of FastAPI and of SQLAlchemy has one write them: models, relationships,
eager loading, response models. Serves at a free port, which it prints; the first argument is the URL of the database.

It keeps one row an incident, and shows it as it is by now: no history, no cut, no resolution, no access.
"""

# mypy: ignore-errors

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, DateTime, ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    pass


class Incident(Base):
    __tablename__ = "orm_incident"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    title: Mapped[str]
    kind: Mapped[str] = mapped_column(index=True)
    status: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(JSON)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    attributes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    summary: Mapped[dict[str, Any]] = mapped_column(JSON)
    statements: Mapped[list[Statement]] = relationship(back_populates="incident", order_by="Statement.position")


class Source(Base):
    __tablename__ = "orm_source"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class Statement(Base):
    __tablename__ = "orm_statement"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("orm_incident.id"), index=True)
    speaker_id: Mapped[UUID] = mapped_column(ForeignKey("orm_source.id"))
    position: Mapped[int]
    channel: Mapped[str | None]
    verbatim: Mapped[str | None]
    said_earliest: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    said_latest: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    incident: Mapped[Incident] = relationship(back_populates="statements")
    speaker: Mapped[Source] = relationship()
    claims: Mapped[list[Claim]] = relationship(back_populates="statement")


class Claim(Base):
    __tablename__ = "orm_claim"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    statement_id: Mapped[UUID] = mapped_column(ForeignKey("orm_statement.id"), index=True)
    attribute: Mapped[str]
    value: Mapped[Any] = mapped_column(JSON)
    act: Mapped[str]
    statement: Mapped[Statement] = relationship(back_populates="claims")


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class SourceOut(_Shown):
    id: UUID
    name: str


class ClaimOut(_Shown):
    id: UUID
    attribute: str
    value: Any
    act: str


class StatementOut(_Shown):
    id: UUID
    speaker: SourceOut
    position: int
    channel: str | None
    verbatim: str | None
    said_earliest: datetime | None
    said_latest: datetime | None
    recorded_at: datetime
    claims: list[ClaimOut]


class IncidentListed(_Shown):
    id: UUID
    version: int
    title: str
    kind: str
    status: str
    tags: list[str]
    opened_at: datetime
    updated_at: datetime
    summary: dict[str, Any]


class IncidentOut(_Shown):
    id: UUID
    version: int
    title: str
    kind: str
    status: str
    tags: list[str]
    opened_at: datetime
    updated_at: datetime
    attributes: list[dict[str, Any]]
    statements: list[StatementOut]


engine = create_async_engine("postgresql+psycopg://", connect_args=conninfo_to_dict(sys.argv[1]), pool_size=16)
sessions = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


app = FastAPI(lifespan=lifespan)


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


@app.get("/incidents", response_model=list[IncidentListed])
async def list_incidents(
    session: Session, kind: str | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 50
) -> Any:
    wanted = select(Incident).order_by(Incident.opened_at, Incident.id).limit(limit)
    if kind is not None:
        wanted = wanted.where(Incident.kind == kind)
    return (await session.scalars(wanted)).all()


@app.get("/incidents/{incident_id}", response_model=IncidentOut)
async def get_incident(session: Session, incident_id: UUID) -> Any:
    statements = selectinload(Incident.statements)
    wanted = (
        select(Incident)
        .where(Incident.id == incident_id)
        .options(statements.selectinload(Statement.claims), statements.joinedload(Statement.speaker))
    )
    incident = (await session.scalars(wanted)).one_or_none()
    if incident is None:
        raise HTTPException(status_code=404)
    return incident


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="on")
    uvicorn.Server(config).run([listener])
