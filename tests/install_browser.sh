#!/bin/sh
# Make sure there are browsers to test in, and the few programs that some tests put Farside beside. Chromium: one that is installed, else the system's package, else Playwright's
# own. Firefox: one that is installed, else the system's package; without it its tests are skipped and say so.
# Usage: install_browser.sh PYTHON
set -eu

found() {
    for name in "$@"; do
        if command -v "$name" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

install() {
    command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ] || return 1
    echo "Installing $* with apt-get"
    [ -n "${updated:-}" ] || apt-get update -qq || return 1
    updated=yes
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

found prometheus-alertmanager alertmanager || install prometheus-alertmanager ||
    echo "No Alertmanager, and no way to install it here: its test will be skipped."
found nginx || install nginx-light ||
    echo "No nginx, and no way to install it here: the test of its recipe will be skipped."
found faketime || install faketime ||
    echo "No faketime, and no way to install it here: the test bed of wrong clocks will be skipped."
found strace || install strace ||
    echo "No strace, and no way to install it here: the tests of system calls will be skipped."
found firefox-esr firefox || install firefox-esr ||
    echo "No Firefox, and no way to install it here: tests/snippet/test_firefox.py will be skipped. Try your system's package."
found chromium chromium-browser google-chrome google-chrome-stable || install chromium fonts-dejavu-core || {
    echo "No Chromium found; asking Playwright for one"
    exec "$1" -m playwright install chromium
}
