// A shop's backend in Express, instrumented as OpenTelemetry's documentation says, with our recipe.
// Usage: node backend.cjs PORT COLLECTOR SERVICE RECIPE      answers what tests/backends/python.py answers
const [port, collector, service, recipe] = process.argv.slice(2);
const { context, propagation, trace } = require("@opentelemetry/api");
const { AsyncLocalStorageContextManager } = require("@opentelemetry/context-async-hooks");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-proto");
const { registerInstrumentations } = require("@opentelemetry/instrumentation");
const { ExpressInstrumentation } = require("@opentelemetry/instrumentation-express");
const { HttpInstrumentation } = require("@opentelemetry/instrumentation-http");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchSpanProcessor, TracerProvider } = require("@opentelemetry/sdk-trace");
const { ServerTimingPropagator, serverTiming } = require(recipe);

const exporter = new OTLPTraceExporter({ url: process.env.SPANS_TO || `${collector}/v1/traces` });
trace.setGlobalTracerProvider(
  new TracerProvider({
    resource: resourceFromAttributes({ "service.name": service, "host.name": `${service}-1` }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 200 })],
  }),
);
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
propagation.setGlobalPropagator(new ServerTimingPropagator());
registerInstrumentations({ instrumentations: [new HttpInstrumentation(), new ExpressInstrumentation()] });

const express = require("express");
const page = `<!doctype html><title>${service}</title><link rel="icon" href="data:,">
<script src="${collector}/farside.js" data-key="demo" async></script>
<script>onload = () => fetch('/api/first?work=5')</script><h1>${service}</h1>`;
const app = express();
app.use(serverTiming);
app.get("/", (request, reply) => reply.send(page));
app.get("/kept", (request, reply) => reply.set("cache-control", "max-age=60").send(page));
app.get("/api/:name", (request, reply) => {
  const span = trace.getTracer("shop").startSpan(`look up ${request.params.name}`);
  setTimeout(() => {
    span.end();
    reply.json({ name: request.params.name });
  }, Number(request.query.work || 0));
});
app.listen(Number(port), "127.0.0.1");
