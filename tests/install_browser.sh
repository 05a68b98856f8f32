#!/bin/sh
# Make sure there is a browser to test in: one that is installed, else the system's package, else Playwright's own.
# Usage: install_browser.sh PYTHON
set -eu

for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "Installing Chromium with apt-get"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu-core >/dev/null
    exit 0
fi
echo "No Chromium found; asking Playwright for one"
exec "$1" -m playwright install chromium
