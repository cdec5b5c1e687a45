"""Queries that are not saved: run, look after, stop. Mirrors `/query/` and `/insights/cancel/`."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from starlette.responses import Response

from insights_mcp.endpoints.insights import CancelInsightQuery
from insights_mcp.endpoints.queries import DeleteQuery, GetQuery, RunQuery
from insights_mcp.local import queries
from insights_mcp.local.calls import Call, answers, reply
from insights_mcp.local.computing import Ask, cancelled_problem, check_query, response
from insights_mcp.local.errors import invalid, not_found, parse_error
from insights_mcp.local.overrides import overridden
from insights_mcp.local.results import refresh_of
from insights_mcp.schema.insight import Refresh

STOPPED = "Cancelled query on clickhouse"
ALREADY_COMPLETE = "Query already complete"
ONLY_DEQUEUED = "Only tried to dequeue, not cancelling query on clickhouse"


@answers(RunQuery)
async def run_query(call: Call) -> Response:
    """Compute a query: 200 with its response, 202 with a `query_status` when it was made a job."""
    query = call.body.get("query")
    check_query(query, "JSON parse error - ")
    assert isinstance(query, dict)
    query = overridden(query, call.mapped("filters_override"), call.mapped("variables_override"))
    query_id = _text(call.body, "client_query_id")
    ask = Ask(call.gone, query_id, query_id or str(uuid4()))
    try:
        outcome = await call.backend.computing.answer(query, _refresh(call.body), ask)
    except queries.QueryCancelled:
        raise cancelled_problem() from None
    except queries.SchemaError as error:
        # A filter or variable laid over the query may have made it invalid.
        raise parse_error(error.detail) from None
    return reply(response(outcome), 202 if outcome.status else 200)


@answers(GetQuery)
def get_query(call: Call) -> Response:
    """The state of a job: 202 while it runs, 200 when complete, 400 or 500 when it failed."""
    job = call.backend.computing.jobs.get(call.path["id"], call.now)
    if job is None:
        raise not_found(f"Query {call.path['id']} not found for team {call.backend.project_id}")
    failed = 400 if job.error_message else 500
    return reply({"query_status": job.status()}, failed if job.error else 200 if job.end else 202)


@answers(DeleteQuery)
def delete_query(call: Call) -> Response:
    """Stop a query and forget its state. An unknown id is no error."""
    computing, query_id = call.backend.computing, call.path["id"]
    job = computing.jobs.remove(query_id)
    if job and job.end:
        return reply({"message": ALREADY_COMPLETE})
    if job:
        job.cancelled.set()
    if call.flag("dequeue_only"):
        return reply({"message": ONLY_DEQUEUED})
    computing.cancel(query_id)
    return reply({"message": STOPPED})


@answers(CancelInsightQuery)
def cancel_insight_query(call: Call) -> Response:
    """Stop the running queries whose client id begins so: 201 and nothing else, even when there was none."""
    prefix = _text(call.body, "client_query_id")
    if prefix is None:
        raise invalid("Field is required.", "client_query_id")
    call.backend.computing.cancel(prefix)
    return Response(status_code=201)


def _refresh(body: dict[str, Any]) -> Refresh:
    """This endpoint always computes what is missing, and reads the older `async` switch."""
    asked = body.get("refresh")
    if asked is None and body.get("async") is True:
        return Refresh.ASYNC
    refresh = refresh_of(asked)
    return Refresh.BLOCKING if refresh is Refresh.FORCE_CACHE else refresh


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise parse_error(f"JSON parse error - {name}\n  Input should be a valid string")
    return value
