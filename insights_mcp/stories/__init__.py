"""Logs, shares and alerts told as a person would tell them: what happened, who can see it, what would fire.

Pure: what PostHog sent goes in, sentences come out. Names and values in it are data, and stay on their line.
"""
