"""Shapes that PostHog owns: what its API sends and takes. Tolerant: unknown fields are kept."""
