import { browserTracingIntegration, init } from '@sentry/browser';

init({
  dsn: SINK.replace('//', '//key@') + '/7',
  release: 'shop@2',
  integrations: [browserTracingIntegration()],
  tracesSampleRate: 1,
  propagateTraceparent: true,
});
