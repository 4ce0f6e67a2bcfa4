"""The application: the page, the REST API and its documentation."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from classifier import __version__
from classifier.corrections import record
from classifier.errors import InputError, StallcheckError
from classifier.labels import CLASSES, KINDS_OF, VERDICTS
from classifier.playbook import ENTRIES
from classifier.verdict import Model
from classifier.web.files import Files, Upload
from classifier.web.guard import BodyTooLarge, Guard, error, too_large
from classifier.web.schemas import (
    Columns,
    Correction,
    Preview,
    Problem,
    Recorded,
    State,
    Texts,
    Verdicts,
)

API = "/api/v1"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_STATIC = Path(__file__).with_name("static")
_AT_ONCE = 20
"""So few texts are read where the request is; more go to a thread, so that others need not wait."""
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": words}
    for status, words in {
        400: "The request can't be read.",
        401: "The token is missing or wrong.",
        403: "The request came from another site.",
        413: "The body is too large.",
        421: "The Host header names another server.",
        422: "The input is not usable; the message says what and where.",
    }.items()
}
_NOT_THERE: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No such file."}}
_NOT_YET: dict[int | str, dict[str, Any]] = {409: {"model": Problem, "description": "Not in this state."}}


def create_app(model: Model, *, hosts: frozenset[str] = LOOPBACK, token: str | None = None) -> FastAPI:
    """The application around a model.

    Parameters
    ----------
    model : Model
    hosts : frozenset of str
        Names under which it may be asked for.
    token : str, optional
        What the API then demands of every request.
    """
    files = Files(model)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        files.close()

    app = FastAPI(
        title="stallcheck",
        version=__version__,
        summary="Tells a buyer's stalls from genuine objections, on your own machine.",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
        responses=_PROBLEMS,
    )
    _add_errors(app)
    _add_predict(app, model)
    _add_files(app, files)
    _add_page(app)
    app.add_middleware(Guard, hosts=hosts, token=token)
    return app


def _add_predict(app: FastAPI, model: Model) -> None:
    @app.post(f"{API}/predict", response_model=Verdicts, tags=["verdicts"], summary="Verdicts on texts")
    async def predict(asked: Texts) -> Response:
        """The objects of `stallcheck predict --json`, one for each text."""
        playbook = model.playbook.with_names(asked.names)
        own = Model(model.scorer, model.card, playbook, model.folder) if asked.names else model
        own.threshold = model.threshold
        work = partial(_verdicts, own, asked.texts, asked.history)
        found = work() if len(asked.texts) <= _AT_ONCE else await run_in_threadpool(work)
        return Response(found, media_type="application/json")

    @app.get(f"{API}/playbook", tags=["verdicts"], summary="What to say next, for every kind")
    async def playbook() -> dict[str, dict[str, Any]]:
        """The whole playbook, by kind, by class, and for `unsure` and `mixed`."""
        return {name: asdict(model.playbook.entry(name)) for name in ENTRIES}

    @app.post(
        f"{API}/corrections", response_model=Recorded, tags=["verdicts"], summary="Keep the right label"
    )
    def correct(correction: Correction) -> dict[str, str]:
        """Adds a row to the file of corrections, which `stallcheck train` reads."""
        path = record(correction.text, correction.label, correction.kind, correction.said)
        return {"path": str(path)}

    @app.get("/healthz", tags=["server"], summary="Whether it is up, and with which model")
    async def health() -> dict[str, Any]:
        return {"status": "ok", "model": {"name": model.card["name"], "sha256": model.card["sha256"]}}


def _verdicts(model: Model, texts: list[str], history: int) -> bytes:
    found = [verdict.to_dict() for verdict in model.predict(texts, history=history)]
    return json.dumps({"verdicts": found}, ensure_ascii=False).encode("utf-8", "replace")


def _add_files(app: FastAPI, files: Files) -> None:
    @app.post(
        f"{API}/label",
        tags=["files"],
        summary="A file in, the file with verdicts out",
        response_class=FileResponse,
        responses={200: {"content": {"application/octet-stream": {}}, "description": "The labelled file."}},
    )
    def label(
        file: UploadFile,
        column: Annotated[
            list[str] | None, Form(description="With the buyer's words; guessed if not given.")
        ] = None,
        sheet: Annotated[str | None, Form(description="Of a workbook.")] = None,
    ) -> Response:
        """As `stallcheck label`: CSV, TSV, JSON Lines, Excel or Parquet, every column kept.

        The header `x-stallcheck-set-aside` counts the rows that could not be read.
        """
        upload = files.take(file.file, file.filename or "file.csv")
        files.label(upload, tuple(column or ()), sheet)
        if upload.error:
            files.drop(upload.id)
            raise InputError(upload.error)
        return _result(upload, BackgroundTask(files.drop, upload.id))

    @app.post(f"{API}/files", response_model=Preview, tags=["files"], summary="Hand in a file to look at")
    def take(file: UploadFile) -> dict[str, object]:
        """Its columns and first rows; label it with the id that comes back."""
        upload = files.take(file.file, file.filename or "file.csv")
        try:
            columns, guess, rows = files.preview(upload)
        except StallcheckError as problem:
            files.drop(upload.id)
            raise InputError(str(problem).replace(str(upload.source), upload.name)) from problem
        except Exception as problem:  # whatever a damaged file makes a parser raise
            files.drop(upload.id)
            raise InputError(f"{upload.name}: not readable as a table") from problem
        return {"id": upload.id, "name": upload.name, "columns": columns, "guess": guess, "rows": rows}

    @app.post(
        f"{API}/files/{{number}}/label",
        response_model=State,
        status_code=202,
        tags=["files"],
        summary="Start labelling it",
        responses=_NOT_THERE | _NOT_YET,
    )
    def start(number: str, columns: Columns) -> dict[str, object]:
        upload = _found(files, number)
        if upload.state in ("working", "done"):
            raise HTTPException(409, f"the file is {upload.state} already")
        files.start(upload, tuple(columns.columns), columns.sheet)
        return _state(upload)

    @app.get(
        f"{API}/files/{{number}}",
        response_model=State,
        tags=["files"],
        summary="How far it is",
        responses=_NOT_THERE,
    )
    async def state(number: str) -> dict[str, object]:
        return _state(_found(files, number))

    @app.get(
        f"{API}/files/{{number}}/result",
        tags=["files"],
        summary="The labelled file",
        response_class=FileResponse,
        responses=_NOT_THERE | _NOT_YET,
    )
    def result(number: str) -> Response:
        upload = _found(files, number)
        if upload.state != "done":
            raise HTTPException(409, f"the file is {upload.state}, not done")
        return _result(upload)

    @app.get(
        f"{API}/files/{{number}}/rejects",
        tags=["files"],
        summary="The rows that were set aside",
        response_class=FileResponse,
        responses=_NOT_THERE,
    )
    def rejects(number: str) -> Response:
        upload = _found(files, number)
        if upload.rejects is None:
            raise HTTPException(404, "no rows were set aside")
        return FileResponse(upload.rejects, filename=f"{Path(upload.name).stem}.rejects.csv")

    @app.delete(
        f"{API}/files/{{number}}", status_code=204, tags=["files"], summary="Forget it", responses=_NOT_THERE
    )
    def drop(number: str) -> None:
        files.drop(_found(files, number).id)


def _add_page(app: FastAPI) -> None:
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_STATIC / "index.html")

    @app.get(f"{API}/labels", include_in_schema=False)
    async def labels() -> dict[str, Any]:
        return {"verdicts": VERDICTS, "classes": CLASSES, "kinds": KINDS_OF}

    app.mount("/docs/assets", StaticFiles(packages=[("fastapi_offline", "static")]), name="docs")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(_STATIC / "docs.html")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(StallcheckError)
    async def unusable(request: Request, problem: StallcheckError) -> JSONResponse:
        return error(422, str(problem))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, problem: RequestValidationError) -> JSONResponse:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "body")
        return error(422, f"{place}: {first['msg'].lower()}" if place else first["msg"].lower())

    @app.exception_handler(HTTPException)
    async def refused(request: Request, problem: HTTPException) -> JSONResponse:
        if isinstance(problem.__cause__, BodyTooLarge):
            return too_large(problem.__cause__.limit)
        answer = error(problem.status_code, str(problem.detail).lower())
        answer.headers.update(problem.headers or {})
        return answer

    @app.exception_handler(BodyTooLarge)
    async def large(request: Request, problem: BodyTooLarge) -> JSONResponse:
        return too_large(problem.limit)

    @app.exception_handler(Exception)
    async def failed(request: Request, problem: Exception) -> JSONResponse:
        return error(500, f"the server failed ({type(problem).__name__}); nothing of the text was kept")


def _found(files: Files, number: str) -> Upload:
    upload = files.get(number)
    if upload is None:
        raise HTTPException(404, "no such file: it was dropped, or made room for others")
    return upload


def _state(upload: Upload) -> dict[str, object]:
    names = ("id", "state", "rows", "share", "summary", "set_aside", "error")
    return {name: getattr(upload, name) for name in names}


def _result(upload: Upload, after: BackgroundTask | None = None) -> FileResponse:
    name = f"{Path(upload.name).stem}.labelled{upload.target.suffix}"
    headers = {"x-stallcheck-set-aside": str(upload.set_aside)}
    return FileResponse(
        upload.target, filename=name, headers=headers, media_type="application/octet-stream", background=after
    )
