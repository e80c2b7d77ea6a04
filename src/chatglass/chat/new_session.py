"""The row of a session that begins now."""

from __future__ import annotations

from pathlib import Path

from chatglass.models.wire import ModelManager, ModelRef
from chatglass.store.records import Parameters, SessionRow
from chatglass.values.clock import now_ms
from chatglass.values.ids import new_id


def new_session(root: Path, model: ModelRef, parameters: Parameters | None = None) -> SessionRow:
    """The row of a session that begins now in the working directory `root`; it is not stored."""
    now = now_ms()
    return SessionRow(
        id=new_id(),
        title="",
        root=str(root),
        endpoint=model.endpoint,
        model=model.model,
        created_at=now,
        updated_at=now,
        parameters=parameters or Parameters(),
    )


def first_model(models: ModelManager) -> ModelRef:
    """The first model of the first endpoint. Raises ValueError where there is no endpoint."""
    for endpoint in models.endpoints.values():
        return ModelRef(endpoint.name, endpoint.models[0] if endpoint.models else "")
    raise ValueError("There is no endpoint to start a session with; give the model manager one.")
