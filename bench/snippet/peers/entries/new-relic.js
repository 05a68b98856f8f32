import { BrowserAgent } from '@newrelic/browser-agent/loaders/browser-agent';

const sink = new URL(SINK).host;
new BrowserAgent({
  info: { beacon: sink, errorBeacon: sink, licenseKey: 'NRJS-1', applicationID: '1', sa: 1 },
  loader_config: { accountID: '1', trustKey: '1', agentID: '1', licenseKey: 'NRJS-1', applicationID: '1' },
  init: {
    ssl: false,
    distributed_tracing: { enabled: true },
    ajax: { enabled: true },
    session_replay: { enabled: false },
    privacy: { cookies_enabled: true },
  },
});
