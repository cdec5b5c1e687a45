"""Pictures of results: a declarative specification for each kind (`chart`), and its drawing (`drawing`).

Nothing here is imported before somebody asks for a picture.
"""
