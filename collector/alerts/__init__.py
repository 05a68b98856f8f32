"""Alerts: notice a flip. Rules are text in files; their states are rows in the store.

`text` reads rules, `folder` keeps them, `windows` and `bounds` turn events into measurements with their uncertainty, and
`state` is the pure machine that turns a measurement into a flip or into nothing. `evaluate` runs it as the watermark
moves, `backtest` over history: the same measurements, the same machine. Delivering a flip is the business of `notify`.
"""
