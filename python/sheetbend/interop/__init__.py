"""Sheetbend's plug-ins on other engines. A module for each, named for what it speaks; import the one that is needed."""
