"""The panel on a screen, driven with real keys."""
