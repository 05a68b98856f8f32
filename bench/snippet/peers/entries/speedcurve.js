// A customer's settings, then the script; the inline loader of the same package stands before it in the page.
window.LUX = window.LUX || {};
Object.assign(window.LUX, {
  customerid: '7',
  samplerate: 100,
  sendBeaconOnPageHidden: true,
  beaconUrl: `${SINK}/lux/`,
  beaconUrlV2: `${SINK}/lux2/`,
  errorBeaconUrl: `${SINK}/lux-error/`,
});
require('@speedcurve/lux/dist/lux.es2020.min.js');
