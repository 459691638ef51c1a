from tests.real_stack.pcscd import insert, pcscd, tool

__all__ = ["insert", "pcscd", "tool"]
