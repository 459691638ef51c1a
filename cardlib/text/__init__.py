"""The one catalogue of sentences for people: Italian and English, one file a language."""
