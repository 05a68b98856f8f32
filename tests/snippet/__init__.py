"""The snippet in a real Chromium, judged by what a real collector accepted from it."""
