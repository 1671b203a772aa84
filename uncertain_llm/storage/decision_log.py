"""The decision log in a database: SQLite by default, PostgreSQL by URL.

The only file that imports SQLAlchemy. Nobody imports it before a log is opened.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    create_engine,
    event,
    func,
    inspect,
    select,
    tuple_,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from uncertain_llm.core.decision import Action
from uncertain_llm.core.errors import LogError
from uncertain_llm.core.response import DecisionRecord, Label
from uncertain_llm.storage import default_log_url
from uncertain_llm.storage.fork_guard import guard
from uncertain_llm.storage.log_errors import read_record, sentence_for
from uncertain_llm.storage.log_rows import DecisionRow, decision_row, label_row, utc_text
from uncertain_llm.storage.log_url import LogPlace, parse_log_url

__all__ = ["LOG_SCHEMA_VERSION", "SqlDecisionLog", "open_log"]

LOG_SCHEMA_VERSION = 1
"""Version of the tables; the records inside have their own (`core.response.SCHEMA_VERSION`)."""

_T = TypeVar("_T")
_PAGE = 200  # rows a read fetches at once: some 2 MB; chosen, not tuned
_POSTGRES_LOCK = 7_201_866_417_316_305_250  # any number that no other program uses

_metadata = MetaData()
_sequence = BigInteger().with_variant(Integer, "sqlite")
_schema = Table(
    "uncertain_llm_schema",
    _metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("applied_at", String(32), nullable=False),
)
_decisions = Table(
    "decisions",
    _metadata,
    Column("seq", _sequence, primary_key=True),  # order of writing: bounds a read
    Column("id", String(200), nullable=False, unique=True),
    Column("created_at", String(32), nullable=False),  # UTC, fixed width: sorts as text
    Column("model", Text, nullable=False),
    Column("question_hash", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("policy_hash", Text, nullable=False),
    Column("action", String(16), nullable=False),  # what the policy chose first
    Column("delivered", String(16), nullable=False),  # what the user got
    Column("reason", Text, nullable=False),  # of the final decision: why the user got it
    Column("status", String(32), nullable=False),
    Column("score", Float(53)),
    Column("probability", Float(53)),
    Column("fingerprint", Text, nullable=False),
    Column("label_requested", Boolean, nullable=False),
    Column("propensity", Float(53), nullable=False),
    Column("record", Text, nullable=False),
    Index("decisions_by_time", "created_at", "id"),
)
_labels = Table(
    "labels",
    _metadata,
    Column("seq", _sequence, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),  # hash of the content
    Column("record_id", String(200), ForeignKey("decisions.id"), nullable=False, index=True),
    Column("loss", Float(53), nullable=False),
    Column("source", Text, nullable=False),
    Column("labeller", Text),
    Column("created_at", String(32), nullable=False),
    Column("note", Text),
)


_COLUMNS = tuple(DecisionRow.__annotations__)
_INSERT = (
    f"INSERT INTO {_decisions.name} ({', '.join(_COLUMNS)}) "
    f"VALUES ({', '.join('?' * len(_COLUMNS))})"
)


def open_log(
    url: str | None = None,
    *,
    create: bool = True,
    durability: Literal["normal", "full"] = "normal",
    wait_seconds: float = 10.0,
) -> SqlDecisionLog:
    """Return the decision log at a URL, ready to use.

    What survives: when `append` returns, the row survives the death of the process (SIGKILL
    included), and with durability "full" also a loss of power. With "normal" a loss of power or
    a crash of the operating system may take the last commits with it, never damage the file.
    The setting concerns SQLite; PostgreSQL keeps to its server's `synchronous_commit`.

    A new SQLite file may be read and written by its owner alone: it holds prompts and answers.
    The mode of a file that exists is left as it is.

    Args:
        url: "sqlite:///decisions.db" (four slashes for an absolute path), a bare path that ends
            in ".db", "sqlite:///:memory:" for a log that dies with the process, or
            "postgresql://user:password@host/database" (its driver, psycopg, psycopg2 or pg8000,
            is not installed with this library). None means `default_log_url()`.
        create: Whether a log that does not exist is made.
        durability: "normal" or "full"; see above.
        wait_seconds: How long to wait for other processes that write to the same SQLite file.

    Raises:
        LogError: The log cannot be opened; one sentence says why. It never holds the password.

    Example:
        >>> log = open_log("sqlite:///:memory:")
        >>> log.count()
        0
        >>> log.close()
    """
    place = parse_log_url(default_log_url() if url is None else url)
    place.check_file(create=create)
    if place.server_url is None:
        if place.path is not None and create:
            _make_private(place.path)
        engine = _sqlite_engine(place, durability=durability, wait_seconds=wait_seconds)
    else:
        engine = create_engine(
            make_url(place.server_url),
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            pool_pre_ping=True,
        )
    log = SqlDecisionLog(engine, place)
    log.prepare(create=create, wait_seconds=wait_seconds)
    return log


class SqlDecisionLog:
    """Decisions and labels in a database; made by `open_log`. Fits the port `DecisionLog`.

    Safe with several processes and threads, and across `os.fork`. In one process the threads
    take turns on one SQLite connection: SQLite has one writer anyway, and a lock hands over in
    microseconds where its own waiting sleeps for milliseconds. A read fetches a page at a time
    and holds nothing between pages, so a slow reader stops no writer.
    """

    def __init__(self, engine: Engine, place: LogPlace) -> None:
        self._engine = engine
        self._place = place
        self._file: tuple[int, int] | None = None
        self._driver: sqlite3.Connection | None = None
        self._closed = False
        self._gate: contextlib.AbstractContextManager[object] = (
            threading.RLock() if place.server_url is None else contextlib.nullcontext()
        )

    def append(self, record: DecisionRecord) -> None:
        """Write one row, in a transaction of its own.

        Appending the same record again changes nothing.

        Raises:
            LogError: The row could not be written, or another record has this id.
        """
        row = decision_row(record)
        if self._place.server_url is None and self._append_to_file(row):
            return

        def insert(connection: Connection) -> bool:
            try:
                connection.execute(_decisions.insert(), row)
            except IntegrityError:
                kept = connection.scalar(
                    select(_decisions.c.record).where(_decisions.c.id == record.id)
                )
                if kept is None:
                    raise
                return bool(json.loads(kept) == json.loads(row["record"]))
            return True

        if not self._run(insert):
            raise LogError(
                f"the decision log {self._place.name} already holds another record with the id "
                f"{record.id}; ids must be unique"
            )

    def add_label(self, label: Label) -> None:
        """Attach a label to a decision; earlier labels are kept.

        Adding the same label again changes nothing.

        Raises:
            LogError: No such decision, or the label could not be written.
        """
        row = label_row(label)

        def insert(connection: Connection) -> bool:
            known = select(_decisions.c.seq).where(_decisions.c.id == label.record_id)
            if connection.scalar(known) is None:
                return False
            try:
                connection.execute(_labels.insert(), row)
            except IntegrityError:
                same = select(_labels.c.seq).where(_labels.c.id == row["id"])
                if connection.scalar(same) is None:
                    raise
            return True

        if not self._run(insert):
            raise self._unknown(label.record_id)

    def records(
        self,
        *,
        newest_first: bool = False,
        limit: int | None = None,
        action: Action | None = None,
        delivered: Action | None = None,
        model: str | None = None,
        since: datetime | None = None,
    ) -> Iterator[DecisionRecord]:
        """Yield decisions, oldest first; rows written after the first one is asked for are not.

        Args:
            newest_first: Whether to turn the order round.
            limit: At most so many; None means all.
            action: Only where the policy chose this first.
            delivered: Only where the user got this.
            model: Only of this model, by its full name.
            since: Only decisions made at this time or later; must know its time zone.

        Raises:
            LogError: The log cannot be read, or a row was written by a newer version.
            ValueError: `since` has no time zone.
        """
        wanted = {"action": action, "delivered": delivered, "model": model}
        where = [_decisions.c[name] == value for name, value in wanted.items() if value is not None]
        if since is not None:
            if since.tzinfo is None:
                raise ValueError("since must know its time zone, for example datetime.now(UTC)")
            where.append(_decisions.c.created_at >= utc_text(since))
        for page in self._pages(where, newest_first=newest_first, limit=limit):
            yield from page

    def labels(self, record_ids: Iterable[str] | None = None) -> Iterator[Label]:
        """Yield labels, oldest first; of some decisions, or of all when `record_ids` is None.

        Raises:
            LogError: The log cannot be read.
        """
        query = select(_labels)
        if record_ids is not None:
            found = [
                row
                for ids in _chunks(dict.fromkeys(record_ids))
                for row in self._rows(query.where(_labels.c.record_id.in_(ids)))
            ]
            yield from map(_label_of, sorted(found, key=_label_order))
            return
        after = ("", 0)
        order = (_labels.c.created_at, _labels.c.seq)
        while True:
            page = query.where(tuple_(*order) > after).order_by(*order).limit(_PAGE)
            rows = self._rows(page)
            yield from map(_label_of, rows)
            if len(rows) < _PAGE:
                return
            after = _label_order(rows[-1])

    def labelled(self) -> Iterator[tuple[DecisionRecord, Label]]:
        """Yield each labelled decision with its label, oldest decision first.

        Where one source labelled a decision several times its newest label counts; a decision
        with labels from two sources comes twice.

        Raises:
            LogError: The log cannot be read.
        """
        has_label = select(_labels.c.seq).where(_labels.c.record_id == _decisions.c.id).exists()
        for page in self._pages([has_label]):
            newest: dict[str, dict[str, Label]] = {}
            for label in self.labels(record.id for record in page):
                newest.setdefault(label.record_id, {})[label.source] = label
            for record in page:
                for label in newest.get(record.id, {}).values():
                    yield record, label

    def get(self, record_id: str) -> DecisionRecord:
        """Return one decision by its id, or by a beginning of it that no other id shares.

        Raises:
            LogError: No decision has this id, or several begin with it.
        """
        key = _decisions.c.id
        exact = select(key, _decisions.c.record).where(key == record_id)
        begins = select(key, _decisions.c.record).where(
            func.substr(key, 1, len(record_id)) == record_id
        )
        rows = self._run(lambda c: c.execute(exact).all() or c.execute(begins.limit(2)).all())
        if not record_id or not rows:
            raise self._unknown(record_id)
        if len(rows) > 1:
            raise LogError(
                f"several decisions in the log {self._place.name} have ids that begin with "
                f"{record_id!r}; give more of the id"
            )
        return read_record(rows[0].record, self._row_name(rows[0].id))

    def short_id(self, record_id: str, *, at_least: int = 8) -> str:
        """Return the shortest beginning of an id that no other id in the log shares."""
        key = _decisions.c.id
        below = select(func.max(key)).where(key < record_id)
        above = select(func.min(key)).where(key > record_id)
        neighbours = self._run(lambda c: (c.scalar(below), c.scalar(above)))
        shared = max(_n_shared(record_id, neighbour or "") for neighbour in neighbours)
        return record_id[: max(at_least, shared + 1)]

    def count(self) -> int:
        """Return the number of decisions in the log."""
        return self._run(lambda c: c.scalar(select(func.count()).select_from(_decisions)) or 0)

    def close(self) -> None:
        """Release the file or connections; calling it twice is harmless."""
        with self._gate:
            self._closed = True
            self._dispose()

    def __enter__(self) -> SqlDecisionLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def prepare(self, *, create: bool, wait_seconds: float) -> None:
        """Make or check the tables; `open_log` calls it once."""
        try:
            self._run(lambda c: _prepare(c, self._place, create=create, wait_seconds=wait_seconds))
        except BaseException:
            self._dispose()
            raise
        self._file = _identity(self._place)
        guard(self)

    def before_fork(self) -> None:
        """See `fork_guard`: wait for a running write, then leave no SQLite file open."""
        self._gate.__enter__()
        if self._place.path is not None:
            self._dispose()

    def after_fork(self, *, in_child: bool) -> None:
        """See `fork_guard`: the next use opens a connection of this process's own."""
        if in_child and self._place.server_url is not None:
            # The parent still speaks over these sockets: forget them without a goodbye.
            self._engine.dispose(close=False)
        self._gate.__exit__(None, None, None)

    def _append_to_file(self, row: DecisionRow) -> bool:
        """Write a row to SQLite with its own driver; False when its id is taken.

        One statement on the connection that SQLAlchemy made, in autocommit like all others: what
        a checkout and a compiled statement cost is more than what the row does.
        """
        with self._gate:
            self._refuse_unusable()
            try:
                if self._driver is None:
                    self._driver = self._sqlite_connection()
                self._driver.execute(_INSERT, tuple(row.values()))
            except sqlite3.IntegrityError:
                return False
            except sqlite3.Error as error:
                raise LogError(sentence_for(error, self._place.name)) from error
        return True

    def _sqlite_connection(self) -> sqlite3.Connection:
        try:
            with contextlib.closing(self._engine.raw_connection()) as checked_out:
                # The pool has this one connection, and keeps it until it is disposed of.
                return cast("sqlite3.Connection", checked_out.driver_connection)
        except SQLAlchemyError as error:
            raise self._refusal(error) from error

    def _run(self, work: Callable[[Connection], _T]) -> _T:
        with self._gate:
            self._refuse_unusable()
            try:
                with self._engine.connect() as connection:
                    return work(connection)
            except SQLAlchemyError as error:
                raise self._refusal(error) from error

    def _refuse_unusable(self) -> None:
        if self._closed:
            raise LogError(f"the decision log {self._place.name} is closed; open it again")
        # A row written to a file that lost its name would be acknowledged, and lost.
        if self._file is not None and _identity(self._place) != self._file:
            raise LogError(
                f"the decision log {self._place.name} was moved, deleted or replaced while "
                "it was open; open it again"
            )

    def _refusal(self, error: SQLAlchemyError) -> LogError:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        return LogError(sentence_for(cause, self._place.name, secret=self._place.password))

    def _dispose(self) -> None:
        self._driver = None
        self._engine.dispose()

    def _rows(self, query: Select[tuple[object, ...]]) -> Sequence[Row[tuple[object, ...]]]:
        return self._run(lambda connection: connection.execute(query).all())

    def _pages(
        self,
        where: list[ColumnElement[bool]],
        *,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[list[DecisionRecord]]:
        last = self._run(lambda c: c.scalar(select(func.max(_decisions.c.seq))))
        if last is None:
            return
        place = (_decisions.c.created_at, _decisions.c.id)
        order = [column.desc() if newest_first else column.asc() for column in place]
        query = select(*place, _decisions.c.record).where(_decisions.c.seq <= last, *where)
        after: tuple[object, object] | None = None
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            page = query.order_by(*order).limit(size)
            if after is not None:
                key = tuple_(*place)
                page = page.where(key < after if newest_first else key > after)
            rows = self._rows(page)
            yield [read_record(row.record, self._row_name(row.id)) for row in rows]
            if len(rows) < size:
                return
            after = (rows[-1].created_at, rows[-1].id)
            left = None if left is None else left - len(rows)

    def _row_name(self, record_id: str) -> str:
        return f"decision {record_id} in the log {self._place.name}"

    def _unknown(self, record_id: str) -> LogError:
        return LogError(
            f"the decision log {self._place.name} holds no decision with the id {record_id!r}; "
            "`uncertain-llm log list` shows what it holds"
        )


def _label_of(row: Row[tuple[object, ...]]) -> Label:
    return Label(
        record_id=row.record_id,
        loss=row.loss,
        source=row.source,
        labeller=row.labeller,
        created_at=datetime.fromisoformat(row.created_at),
        note=row.note,
    )


def _label_order(row: Row[tuple[object, ...]]) -> tuple[str, int]:
    return (row.created_at, row.seq)


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while chunk := list(islice(rest, _PAGE)):
        yield chunk


def _n_shared(left: str, right: str) -> int:
    pairs = zip(left, right, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(left), len(right)))


def _identity(place: LogPlace) -> tuple[int, int] | None:
    if place.path is None:
        return None
    try:
        status = os.stat(place.path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino)


def _make_private(path: Path) -> None:
    """Make an empty file, which is an empty database; SQLite gives its mode to those beside it."""
    # What stands in the way, SQLite meets again in a moment, and says in one sentence.
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _sqlite_engine(place: LogPlace, *, durability: str, wait_seconds: float) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(place.path or ":memory:")),
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        poolclass=StaticPool,
        connect_args={"timeout": wait_seconds, "check_same_thread": False},
    )
    synchronous = {"normal": "NORMAL", "full": "FULL"}[durability]

    def set_up(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA synchronous={synchronous}")

    event.listen(engine, "connect", set_up)
    return engine


def _prepare(connection: Connection, place: LogPlace, *, create: bool, wait_seconds: float) -> None:
    version = _version(connection, place)
    if version == LOG_SCHEMA_VERSION:
        return
    if version == 0 and not create:
        raise LogError(f"{place.name} holds no decision log; name another, or let a client make it")
    if place.path is not None:
        _use_write_ahead_log(connection, wait_seconds)
    with _alone(connection, is_server=place.server_url is not None):
        # Another process may have been faster.
        for migrate in _MIGRATIONS[_version(connection, place) :]:
            migrate(connection)


def _version(connection: Connection, place: LogPlace) -> int:
    tables = set(inspect(connection).get_table_names())
    if _schema.name not in tables:
        # A server's database may hold tables of others; an SQLite file is ours alone.
        foreign = tables if place.server_url is None else tables & {"decisions", "labels"}
        if foreign:
            raise LogError(
                f"{place.name} is not a decision log: it is a database with other tables "
                f"({', '.join(sorted(foreign)[:3])}); give another place"
            )
        return 0
    version = connection.scalar(select(func.max(_schema.c.version))) or 0
    if version > LOG_SCHEMA_VERSION:
        raise LogError(
            f"the decision log {place.name} was written by a newer version of uncertain-llm (log "
            f"schema {version}, this version knows up to {LOG_SCHEMA_VERSION}); upgrade to use it"
        )
    return version


def _use_write_ahead_log(connection: Connection, wait_seconds: float) -> None:
    give_up = time.monotonic() + wait_seconds
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        except OperationalError as error:
            # SQLite does not wait by itself here: two processes that make the log at once.
            name = getattr(error.orig, "sqlite_errorname", "")
            if name != "SQLITE_BUSY" or time.monotonic() > give_up:
                raise
            time.sleep(0.005)
        else:
            return


@contextlib.contextmanager
def _alone(connection: Connection, *, is_server: bool) -> Iterator[None]:
    """One transaction that no other process's migration overlaps."""
    begin = "BEGIN" if is_server else "BEGIN IMMEDIATE"
    connection.exec_driver_sql(begin)
    try:
        if is_server:
            connection.execute(select(func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")


def _make_tables(connection: Connection) -> None:
    _metadata.create_all(connection)
    now = utc_text(datetime.now(UTC))
    connection.execute(_schema.insert(), {"version": 1, "applied_at": now})


_MIGRATIONS: tuple[Callable[[Connection], None], ...] = (_make_tables,)
"""Number n brings the tables from version n to n + 1."""
