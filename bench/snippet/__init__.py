"""Farside's snippet beside its peers: one page, one run, one table.

`peers` installs and bundles what is measured, `page` serves the page and takes in what it sends, `loads` times page
loads, `sessions` drives a visit to its end, `signals` says what counts as captured, `table` writes it all down.
"""
