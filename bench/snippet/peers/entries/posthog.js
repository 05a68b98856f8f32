import posthog from 'posthog-js';

posthog.init('phc_shop', {
  api_host: SINK,
  capture_pageview: 'history_change',
  capture_performance: { web_vitals: true, network_timing: true },
  capture_exceptions: true,
  disable_session_recording: true,
});
