"""Notify: deliver a flip. Which receivers have to hear of what follows from the rows alerts have written.

`due` is pure: flips, attempts, silences and acknowledgements go in, notices that are due come out. `deliver` claims each by
compare-and-set, hands it to its `channels`, and writes down what became of it: whoever is killed in between, somebody goes
on. `message` says it in one sentence; `links` are signed, so that a notice can be acknowledged from where it was read.
"""
