"""RSA keys from injected randomness, so that a seeded card has a seeded key.

Made for virtual cards of fictitious people: nothing here resists side channels.
"""

from math import gcd

from cryptography.hazmat.primitives.asymmetric import rsa

from simulator.card.chip import Randomness

PUBLIC_EXPONENT = 65537
_ROUNDS = 40
_SMALL_PRIMES = [n for n in range(3, 1000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


def generate_rsa_key(bits: int, randomness: Randomness) -> rsa.RSAPrivateKey:
    """A private key with a modulus of ``bits`` bits."""
    p = _prime(bits // 2, randomness)
    q = _prime(bits // 2, randomness)
    while q == p:
        q = _prime(bits // 2, randomness)
    d = pow(PUBLIC_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(PUBLIC_EXPONENT, p * q)
    private = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), public
    )
    return private.private_key()


def _prime(bits: int, randomness: Randomness) -> int:
    # The two highest bits set make the product of two primes as long as it should be.
    top = 0b11 << (bits - 2)
    while True:
        candidate = int.from_bytes(randomness.bytes(bits // 8), "big") | top | 1
        if gcd(candidate - 1, PUBLIC_EXPONENT) == 1 and _is_prime(candidate, randomness):
            return candidate


def _is_prime(candidate: int, randomness: Randomness) -> bool:
    """Trial division, then Miller-Rabin."""
    if any(candidate % prime == 0 for prime in _SMALL_PRIMES):
        return False
    twos = ((candidate - 1) & -(candidate - 1)).bit_length() - 1
    odd = (candidate - 1) >> twos
    return all(_passes(candidate, odd, twos, randomness.bytes(8)) for _ in range(_ROUNDS))


def _passes(candidate: int, odd: int, twos: int, base: bytes) -> bool:
    x = pow(int.from_bytes(base, "big") + 2, odd, candidate)
    if x in (1, candidate - 1):
        return True
    for _ in range(twos - 1):
        x = x * x % candidate
        if x == candidate - 1:
            return True
    return False
