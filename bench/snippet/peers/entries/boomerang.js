// Its default plugins for timing, and those for requests, route changes and errors. Two plugins expect a library as a global.
window.ErrorStackParser = require('error-stack-parser');
window.UserTimingCompression = require('usertiming-compression');
require('boomerangjs/boomerang.js');
require('boomerangjs/plugins/continuity.js');
require('boomerangjs/plugins/auto-xhr.js');
require('boomerangjs/plugins/spa.js');
require('boomerangjs/plugins/history.js');
require('boomerangjs/plugins/rt.js');
require('boomerangjs/plugins/painttiming.js');
require('boomerangjs/plugins/navtiming.js');
require('boomerangjs/plugins/restiming.js');
require('boomerangjs/plugins/compression.js');
require('boomerangjs/plugins/errors.js');
require('boomerangjs/plugins/usertiming.js');
require('boomerangjs/plugins/eventtiming.js');
require('boomerangjs/plugins/bfcache.js');

window.BOOMR.init({
  beacon_url: `${SINK}/boomerang`,
  autorun: false,
  instrument_xhr: true,
  AutoXHR: { monitorFetch: true, alwaysSendXhr: true },
  Errors: { sendAfterOnload: true, monitorRejections: true },
  History: { enabled: true },
});
