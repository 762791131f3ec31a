"""Drivers: who opens a connection to a database and streams Arrow from it.

A module here knows one library. It knows no SQL of its own, no options and no types: those are the dialects'.
"""
