import { datadogRum } from '@datadog/browser-rum';

datadogRum.init({
  applicationId: '1b671a64-40d5-491e-99b0-da01ff1f3341',
  clientToken: 'pub00000000000000000000000000000001',
  proxy: `${SINK}/datadog`,
  service: 'shop',
  version: '2',
  sessionSampleRate: 100,
  sessionReplaySampleRate: 0,
  traceSampleRate: 100,
  allowedTracingUrls: [location.origin],
  trackUserInteractions: true,
  trackResources: true,
  trackLongTasks: true,
});
