"""Measurements. Each script runs by itself, prints JSON, and puts a ceiling or a peer beside every figure."""
