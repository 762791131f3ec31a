"""The built-in sources: plain plug-ins, like a user's own."""
