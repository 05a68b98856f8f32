import { init } from '@elastic/apm-rum';

init({ serviceName: 'shop', serviceVersion: '2', serverUrl: SINK });
