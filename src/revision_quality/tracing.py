"""Spans of what is collected, scored, published and served, for who follows one edit."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from msgspec import Struct

from revision_quality import __version__
from revision_quality.errors import SettingsError


class Trace(Protocol):
    """Takes the spans of a process; those begun within another are its children."""

    def span(
        self, name: str, attributes: Mapping[str, str | int], parent: Mapping[str, str] = {}
    ) -> AbstractContextManager[None]:
        """Return what begins a span and ends it; `parent` are headers that name one elsewhere."""
        ...

    def close(self) -> None:
        """Send what is left."""
        ...


class NoTrace:
    """Takes nothing."""

    def span(
        self, name: str, attributes: Mapping[str, str | int], parent: Mapping[str, str] = {}
    ) -> AbstractContextManager[None]:
        """Return what does nothing."""
        return nullcontext()

    def close(self) -> None:
        """Do nothing."""


NO_TRACE = NoTrace()


class OtlpTrace(Struct, frozen=True):
    """Sends spans by OpenTelemetry's SDK."""

    provider: Any
    propagator: Any

    @contextmanager
    def span(
        self, name: str, attributes: Mapping[str, str | int], parent: Mapping[str, str] = {}
    ) -> Iterator[None]:
        """Begin a span and end it."""
        context = self.propagator.extract(parent) if parent else None
        tracer = self.provider.get_tracer("revision_quality", __version__)
        with tracer.start_as_current_span(name, context=context, attributes=dict(attributes)):
            yield

    def close(self) -> None:
        """Send what is left."""
        self.provider.shutdown()


def open_trace(endpoint: str | None, share: float, roles: str, exporter: Any = None) -> Trace:
    """Return what sends spans to an OTLP `endpoint`, or to `exporter`; without both, NO_TRACE.

    `share` of the traces is kept. Raises SettingsError where the extra `otel` is not installed.
    """
    if endpoint is None and exporter is None:
        return NO_TRACE
    try:
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 (an extra)
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import (  # noqa: PLC0415
            ParentBased,
            TraceIdRatioBased,
        )
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        exporter = exporter or _exporter(endpoint)
    except ImportError as error:
        raise SettingsError(
            f"tracing.endpoint: needs OpenTelemetry ({error}):"
            " run pip install 'revision-quality[otel]'"
        ) from error
    resource = Resource.create(
        {"service.name": "revq", "service.version": __version__, "revq.roles": roles}
    )
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(share)))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OtlpTrace(provider, TraceContextTextMapPropagator())


def _exporter(endpoint: str | None) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )

    return OTLPSpanExporter(endpoint=endpoint)
