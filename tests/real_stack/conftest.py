from tests.real_stack.pcscd import breakable, insert, pcscd, tool

__all__ = ["breakable", "insert", "pcscd", "tool"]
