// Without its session replay: none of the others records one here.
import HyperDX from '@hyperdx/browser';

HyperDX.init({
  apiKey: 'key',
  service: 'shop',
  url: SINK,
  disableReplay: true,
  tracePropagationTargets: [/localhost/],
});
