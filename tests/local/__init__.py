"""The embedded backend, tested over HTTP: the real app, real SQLite, the real engine on a small real store."""
