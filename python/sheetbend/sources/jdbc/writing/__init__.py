"""Writing to a database: the options, how columns meet those of a table, and what every database's writer shares."""
