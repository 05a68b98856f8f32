import { getWebInstrumentations, initializeFaro } from '@grafana/faro-web-sdk';
import { TracingInstrumentation } from '@grafana/faro-web-tracing';

const instrumentations = getWebInstrumentations();
instrumentations.push(new TracingInstrumentation());
initializeFaro({ url: `${SINK}/faro`, app: { name: 'shop', version: '2' }, instrumentations });
