// The browser packages with the zone.js context manager, which the automatic instrumentations need to keep a parent.
import { getWebAutoInstrumentations } from '@opentelemetry/auto-instrumentations-web';
import { ZoneContextManager } from '@opentelemetry/context-zone';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, WebTracerProvider } from '@opentelemetry/sdk-trace-web';

const exporter = new OTLPTraceExporter({ url: `${SINK}/v1/traces` });
const tracing = new WebTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'shop' }),
  spanProcessors: [new BatchSpanProcessor(exporter)],
});
tracing.register({ contextManager: new ZoneContextManager() });
registerInstrumentations({ instrumentations: getWebAutoInstrumentations() });
