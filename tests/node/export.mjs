// A backend as OpenTelemetry's documentation sets one up; prints the ids of what it sent. Only the exporter is chosen by
// the test, everything else comes from the environment, as in production.
// Usage: node export.mjs proto|http      (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says where to)
import { SpanKind, SpanStatusCode, context, trace } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

const { OTLPTraceExporter } = await import(`@opentelemetry/exporter-trace-otlp-${process.argv[2]}`);
const provider = new TracerProvider({
  resource: resourceFromAttributes({ "service.name": "images", "service.version": "3" }),
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
});
const tracer = provider.getTracer("test", "1.2");

const outer = tracer.startSpan("GET /images/:id", {
  kind: SpanKind.SERVER,
  attributes: { n: 3, half: 0.5, ok: true, sizes: ["s", "l"], "word": "größer" },
});
const within = trace.setSpan(context.active(), outer);
const inner = tracer.startSpan("resize", { links: [{ context: outer.spanContext(), attributes: { why: "test" } }] }, within);
inner.addEvent("started", { k: "v" });
inner.recordException(new Error("no such image"));
inner.setStatus({ code: SpanStatusCode.ERROR, message: "no such image" });
inner.end();
outer.end();
await provider.shutdown();
console.log(JSON.stringify({ trace: outer.spanContext().traceId, outer: outer.spanContext().spanId, inner: inner.spanContext().spanId }));
