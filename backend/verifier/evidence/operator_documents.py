"""Documents that the operator signs and others keep."""

from typing import Any

from backend.verifier.decoder import cbor, cose
from backend.verifier.decoder.shapes import Layout, misfit
from backend.verifier.registry import Registry


def operator_document(
    complete: bytes, aad: bytes, layout: Layout, optional: Layout, registry: Registry
) -> dict[int, Any] | None:
    """The payload of a document that an operator of the export signed; None when none did."""
    try:
        document = cose.take_apart(complete)
        fields = cbor.loads(document.payload)
    except cbor.NotOneForm:
        return None
    operator = registry.operators.get(document.kid)
    if operator is None or not document.signed_by(operator, aad):
        return None
    if not isinstance(fields, dict) or misfit(fields, layout, optional) is not None:
        return None
    return dict(fields)
