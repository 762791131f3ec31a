"""Every function of Apache Spark, asked its documented examples; ``docs/functions.md`` says which are answered alike."""
