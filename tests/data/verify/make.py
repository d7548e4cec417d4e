#!/usr/bin/env python3
"""Makes the tokens and keys in this folder: `python3 make.py`, with `PyJWT[crypto]` (2.15) and `openssl`.

The tokens are made by PyJWT where it agrees to make them, and by hand from the standard library and `cryptography`
where it refuses (an HMAC by a public key, a name that occurs twice). Every token is signed with the emulator's published
test keys: they protect nothing, and RSA signatures of PKCS #1 v1.5 are always the same, so that running this again
changes nothing. The keys in keys/ are new ones each time, hence written only where they are missing; their private halves are
thrown away, or were never needed for more than one signature.

All times are fixed: the tokens are made at 2026-01-01 00:00 UTC, which is where the tests' clock stands.
"""

import base64
import gzip
import hashlib
import hmac
import json
import subprocess
import tempfile
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

HERE = Path(__file__).parent
KEYS = HERE / "keys"
EMULATOR = HERE.parents[2] / "emulator" / "keys"

NOW = 1_767_225_600
HOUR = 3600


def private(name):
    return serialization.load_der_private_key((EMULATOR / f"{name}.der").read_bytes(), None)


OURS = private("test-only-1")
OTHER = private("test-only-2")
PEM = (EMULATOR / "test-only-1.public.pem").read_bytes()


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def packed(data):
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()


def claims(**changes):
    """The claims of the published sample, in its order; `None` takes one out."""
    base = {
        "sub": "0123456789abcdef0123456789abcdef",
        "aud": "API",
        "rlm": "client",
        "ctd": NOW * 1000 - 500,
        "eml": "jan@shop.example",
        "auth": packed(b'["SETTINGS_READ","CLIENTS_WRITE"]'),
        "iss": "Synerise",
        "bpi": 48,
        "clId": 433230288,
        "exp": NOW + HOUR,
        "apk": "not-a-real-api-key",
    }
    base.update(changes)
    return {name: value for name, value in base.items() if value is not None}


def sign(message, key=OURS, scheme=None, digest=None):
    return key.sign(message.encode(), scheme or padding.PKCS1v15(), digest or hashes.SHA512())


def raw(header, payload, key=OURS):
    """A token of these exact bytes, correctly signed by RS512."""
    as_bytes = lambda part: part if isinstance(part, bytes) else part.encode()
    message = f"{b64(as_bytes(header))}.{b64(as_bytes(payload))}"
    return f"{message}.{b64(sign(message, key))}"


HEADER = '{"alg":"RS512"}'


def text(changed):
    return json.dumps(changed, separators=(",", ":"))


def with_claims(**changes):
    return raw(HEADER, text(claims(**changes)))


def with_header(**members):
    return raw(text({"alg": "RS512", **members}), text(claims()))


def null(name):
    return raw(HEADER, text({**claims(), name: None}))


def pyjwt(payload, key=OURS, algorithm="RS512", headers=None):
    return jwt.encode(payload, key, algorithm=algorithm, headers={"typ": None, **(headers or {})})


VALID = pyjwt(claims())
HEAD, BODY, SIGNATURE = VALID.split(".")


def unsigned(algorithm):
    return f"{b64(text({'alg': algorithm}).encode())}.{BODY}."


def under(algorithm):
    """The signature that is right for RS512, under another algorithm's name."""
    message = f"{b64(text({'alg': algorithm}).encode())}.{BODY}"
    return f"{message}.{b64(sign(message))}"


def by_hmac(secret):
    message = f"{b64(text({'alg': 'HS512'}).encode())}.{BODY}"
    return f"{message}.{b64(hmac.new(secret, message.encode(), hashlib.sha512).digest())}"


def by_hmac_named_rs512(secret):
    message = f"{HEAD}.{BODY}"
    return f"{message}.{b64(hmac.new(secret, message.encode(), hashlib.sha512).digest())}"


def genuine(algorithm):
    """A token that is really signed by another algorithm, with the right key."""
    return jwt.encode(claims(), OURS, algorithm=algorithm, headers={"typ": None})


def flipped(part, bit=0):
    data = bytearray(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    data[len(data) // 2] ^= 1 << bit
    return b64(bytes(data))


def encrypted():
    """The form of JWE with our payload inside, for a reader that takes the second part for the claims."""
    header = b64(text({"alg": "RSA-OAEP", "enc": "A256GCM"}).encode())
    return ".".join([header, BODY, b64(b"iv"), b64(b"text"), b64(b"tag")])


def doubled(pair, at_end=True):
    """The claims with one more member: JSON that has a name twice."""
    members = text(claims())[1:-1]
    return raw(HEADER, "{" + (f"{members},{pair}" if at_end else f"{pair},{members}") + "}")


def last_character(token, change):
    """Another spelling of the signature's last bits: four of them carry nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + alphabet[alphabet.index(token[-1]) ^ change]


def standard_alphabet(token):
    head, body, signature = token.split(".")
    changed = signature.replace("-", "+").replace("_", "/")
    assert changed != signature
    return f"{head}.{body}.{changed}"


def digest_info_of(digest, claimed):
    """A signature over SHA-256 in a token that says RS512."""
    message = f"{HEAD}.{BODY}"
    return f"{message}.{b64(sign(message, digest=digest))}"


TOKENS = {
    # Accepted.
    "valid": VALID,
    "valid for half a century": pyjwt(claims(exp=NOW + 50 * 365 * 24 * HOUR)),
    "anonymous": pyjwt(claims(rlm="anonymous_client", eml="622376f8-0000-2222-d7f9-070fa956e963@anonymous.invalid",
                              uuid="622376f8-0000-2222-d7f9-070fa956e963", auth="H4sIAAAAAAAAAIuOBQApu0wNAgAAAA==")),
    "the least": pyjwt({"iss": "Synerise", "aud": "API", "exp": NOW + HOUR}),
    "typ JWT": jwt.encode(claims(), OURS, algorithm="RS512"),
    "typ application/at+jwt": with_header(typ="application/at+jwt"),
    "audience in a list": pyjwt(claims(aud=["other", "API"])),
    "claims that are null": raw(HEADER, text({**claims(), "bpi": None, "apk": None, "ctd": None})),
    "ids as text": with_claims(bpi="48", clId="433230288"),
    "custom id as a number": with_claims(customId=17, origin="SYNERISE"),
    "unknown claims": with_claims(new={"nested": [1, {"exp": 0}]}, jti="1"),
    "exp as text": with_claims(exp=str(NOW + HOUR)),
    "exp with a fraction": with_claims(exp=NOW + HOUR + 0.75),
    "exp as text with a fraction": with_claims(exp=f"{NOW + HOUR}.75"),
    "ctd with a fraction": with_claims(ctd=NOW * 1000 - 0.5),
    "key named by kid": with_header(kid="../../../dev/null"),
    "kid with sql": with_header(kid="' or 1=1 --"),
    "key brought along": with_header(jwk={"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
    "key by url": with_header(jku="http://127.0.0.1:1/keys", x5u="http://127.0.0.1:1/cert"),
    "certificate brought along": with_header(x5c=["MAA="], x5t="MAA"),
    "b64 true": with_header(b64=True),
    "deeply nested unknown claim": raw(HEADER, text(claims())[:-1] + ',"deep":' + "[" * 10_000 + "]" * 10_000 + "}"),
    "authorities not packed": with_claims(auth="SETTINGS_READ"),
    "authorities bomb": with_claims(auth=packed(b'["' + b"A" * 4_000_000 + b'"]')),
    "authorities cut short": with_claims(auth=base64.b64encode(gzip.compress(b'["SETTINGS_READ"]', mtime=0)[:-6]).decode()),
    "authorities of another type": with_claims(auth=packed(b'{"SETTINGS_READ":true}')),
    "authorities not UTF-8": with_claims(auth=packed(b'["\xff"]')),
    "authorities at the limit": with_claims(auth=packed(b'["' + b"A" * (250_000 - 4) + b'"]')),
    "authorities beyond the limit": with_claims(auth=packed(b'["' + b"A" * (250_001 - 4) + b'"]')),
    # Algorithms.
    "none": unsigned("none"),
    "None": unsigned("None"),
    "NONE": unsigned("NONE"),
    "noNE": unsigned("noNE"),
    "empty alg": unsigned(""),
    "none with the signature": under("none"),
    "no alg": raw("{}", text(claims())),
    "alg is null": raw('{"alg":null}', text(claims())),
    "alg is a list": raw('{"alg":["RS512"]}', text(claims())),
    "alg in lower case": under("rs512"),
    "alg with a space": under("RS512 "),
    "HS512 by the PEM": by_hmac(PEM),
    "HS512 by the PEM without line end": by_hmac(PEM.rstrip(b"\n")),
    "HS512 by the DER": by_hmac(OURS.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)),
    "HS512 by the PEM that says RS512": by_hmac_named_rs512(PEM),
    "RS256": genuine("RS256"),
    "RS384": genuine("RS384"),
    "PS512": genuine("PS512"),
    "RS256's name": under("RS256"),
    "PS512's name": under("PS512"),
    "ES512's name": under("ES512"),
    "SHA-256 that says RS512": digest_info_of(hashes.SHA256(), "RS512"),
    # Signatures.
    "another key": pyjwt(claims(), key=OTHER),
    "changed header": f"{b64(b'{ ' + HEADER[1:].encode())}.{BODY}.{SIGNATURE}",
    "changed payload": f"{HEAD}.{b64(text(claims(bpi=49)).encode())}.{SIGNATURE}",
    "one bit of the payload": f"{HEAD}.{b64(text(claims(sub='1123456789abcdef0123456789abcdef')).encode())}.{SIGNATURE}",
    "one bit of the signature": f"{HEAD}.{BODY}.{flipped(SIGNATURE)}",
    "no signature": f"{HEAD}.{BODY}.",
    "signature one byte short": f"{HEAD}.{BODY}.{b64(base64.urlsafe_b64decode(SIGNATURE + '==')[:-1])}",
    "signature with a zero in front": f"{HEAD}.{BODY}.{b64(bytes(1) + base64.urlsafe_b64decode(SIGNATURE + '=='))}",
    "signature of zeros": f"{HEAD}.{BODY}.{b64(bytes(512))}",
    "signature of ones": f"{HEAD}.{BODY}.{b64(bytes(511) + bytes([1]))}",
    # Form.
    "padded": f"{HEAD}.{BODY}.{SIGNATURE}==",
    "bits to spare": last_character(VALID, 1),
    "standard alphabet": standard_alphabet(VALID),
    "space inside": f"{HEAD}. {BODY}.{SIGNATURE}",
    "line end inside": f"{HEAD}.{BODY}.{SIGNATURE[:80]}\n{SIGNATURE[80:]}",
    "one part": HEAD,
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{VALID}.{SIGNATURE}",
    "five parts": encrypted(),
    "five parts around a signed one": f"{VALID}..",
    "empty": "",
    "dots": "..",
    "JSON serialization": text({"payload": BODY, "protected": HEAD, "signature": SIGNATURE}),
    "header not JSON": raw("RS512", text(claims())),
    "header a list": raw('["RS512"]', text(claims())),
    "payload not JSON": raw(HEADER, "exp"),
    "payload a list": raw(HEADER, "[]"),
    "payload with more behind": raw(HEADER, text(claims()) + "{}"),
    "payload not UTF-8": raw(HEADER, text(claims()).encode().replace(b"0123456789abcdef0123456789abcdef", b"\xff\xfe")),
    "unknown claim not UTF-8": raw(HEADER, text(claims()).encode()[:-1] + b',"x":"\xff"}'),
    "payload packed": raw('{"alg":"RS512","zip":"DEF"}', gzip.compress(text(claims()).encode(), mtime=0)),
    "alg twice": raw('{"alg":"RS512","alg":"RS512"}', text(claims())),
    "alg twice, none first": raw('{"alg":"none","alg":"RS512"}', text(claims())),
    "exp twice": doubled(f'"exp":{NOW + 2 * HOUR}'),
    "exp twice, expired first": doubled(f'"exp":{NOW - HOUR}', at_end=False),
    "exp twice, once escaped": doubled(f'"\\u0065xp":{NOW + 2 * HOUR}'),
    "rlm twice": doubled('"rlm":"workspace"'),
    "unknown claim twice": doubled('"x":1,"x":2'),
    # Headers that ask for something.
    "crit": with_header(crit=["exp"]),
    "crit with b64": with_header(crit=["b64"], b64=True),
    "crit is null": with_header(crit=None),
    "b64 false": with_header(b64=False),
    "b64 false and crit": with_header(b64=False, crit=["b64"]),
    "zip": with_header(zip="DEF"),
    "enc": with_header(enc="A256GCM"),
    "typ of a refresh token": with_header(typ="refresh+jwt"),
    "typ not a text": with_header(typ=1),
    # Times.
    "expired": pyjwt(claims(exp=NOW - HOUR)),
    "expires now": pyjwt(claims(exp=NOW)),
    "expires in ten seconds": pyjwt(claims(exp=NOW + 10)),
    "exp is zero": with_claims(exp=0),
    "no exp": with_claims(exp=None),
    "exp is null": null("exp"),
    "exp is a word": with_claims(exp="tomorrow"),
    "exp is empty": with_claims(exp=""),
    "exp with a sign": with_claims(exp=f"+{NOW + HOUR}"),
    "exp as text with an exponent": with_claims(exp="1e300"),
    "exp is true": with_claims(exp=True),
    "exp in a list": with_claims(exp=[NOW + HOUR]),
    "exp in an object": with_claims(exp={"value": NOW + HOUR}),
    "exp is negative": with_claims(exp=-1),
    "exp is 1e300": with_claims(exp=1e300),
    "exp in milliseconds": with_claims(exp=(NOW + HOUR) * 1000),
    "exp beyond 64 bits": raw(HEADER, text(claims()).replace(str(NOW + HOUR), "1" * 30)),
    "created in the future": pyjwt(claims(ctd=(NOW + HOUR) * 1000)),
    "created in ten seconds": pyjwt(claims(ctd=(NOW + 10) * 1000)),
    "ctd in seconds": with_claims(ctd=NOW),
    "ctd in microseconds": with_claims(ctd=NOW * 1_000_000),
    "ctd is a word": with_claims(ctd="today"),
    "ctd is true": with_claims(ctd=True),
    "ctd in a list": with_claims(ctd=[NOW]),
    "iat in the future": with_claims(iat=NOW + HOUR),
    "iat is a word": with_claims(iat="today"),
    "nbf in the future": with_claims(nbf=NOW + HOUR),
    "nbf is an object": with_claims(nbf={}),
    # Whose.
    "no iss": with_claims(iss=None),
    "iss is null": null("iss"),
    "iss is empty": with_claims(iss=""),
    "iss is another": with_claims(iss="synerise"),
    "iss with more behind": with_claims(iss="Synerise.example"),
    "iss in a list": with_claims(iss=["Synerise"]),
    "iss is a number": with_claims(iss=1),
    "iss is an object": with_claims(iss={"Synerise": "Synerise"}),
    "no aud": with_claims(aud=None),
    "aud is null": null("aud"),
    "aud is empty": with_claims(aud=""),
    "aud is another": with_claims(aud="api"),
    "aud in an empty list": with_claims(aud=[]),
    "aud in a list of others": with_claims(aud=["APIs", "WEB"]),
    "aud in a list with a number": with_claims(aud=["API", 1]),
    "aud is a number": with_claims(aud=1),
    "aud is an object": with_claims(aud={"API": True}),
    "rlm in a list": with_claims(rlm=["client"]),
    "sub is an object": with_claims(sub={}),
    "bpi is true": with_claims(bpi=True),
    "bpi with a fraction": with_claims(bpi=48.5),
    "clId is a word": with_claims(clId="me"),
    "eml in a list": with_claims(eml=["a@b.example"]),
    "apk in an object": with_claims(apk={}),
    "auth in a list": with_claims(auth=["SETTINGS_READ"]),
    "no rlm": with_claims(rlm=None),
    # Documented by Synerise, with a payload that was made unreadable; so its signature fits nothing.
    "sample of the documentation": (HERE / "sample.txt").read_text().strip(),
}

# RSA-PSS is salted: this one is kept as it was first made.
PSS = "PS512 that says RS512"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def make_keys():
    """Public keys that must be refused, or in another form. What differs in the text alone, the tests make themselves."""
    KEYS.mkdir(exist_ok=True)
    ours = OURS.public_key()
    encode = lambda encoding, form: ours.public_bytes(getattr(serialization.Encoding, encoding), getattr(serialization.PublicFormat, form))
    written = {
        "pkcs1.pem": encode("PEM", "PKCS1"),
        "trailing-byte.pem": b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(encode("DER", "SubjectPublicKeyInfo") + b"\0") + b"-----END PUBLIC KEY-----\n",
    }
    for name, data in written.items():
        (KEYS / name).write_bytes(data)
    with tempfile.TemporaryDirectory() as folder:
        key = f"{folder}/key.pem"
        for name, arguments in {
            "rsa-1024.pem": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
            "rsa-2047.pem": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2047"],
            "rsa-2048.pem": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            "rsa-pss.pem": ["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"],
            "ec.pem": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
            "ed25519.pem": ["-algorithm", "ED25519"],
        }.items():
            target = KEYS / name
            token = HERE / f"{target.stem}.token"
            if target.exists():
                continue
            openssl("genpkey", *arguments, "-out", key)
            openssl("pkey", "-in", key, "-pubout", "-out", str(target))
            if name in ("rsa-1024.pem", "rsa-2048.pem", "rsa-pss.pem"):
                pair = serialization.load_pem_private_key(Path(key).read_bytes(), None)
                if name == "rsa-pss.pem":
                    message = f"{HEAD}.{BODY}"
                    scheme = padding.PSS(padding.MGF1(hashes.SHA512()), 64)
                    made = f"{message}.{b64(pair.sign(message.encode(), scheme, hashes.SHA512()))}"
                else:
                    made = raw(HEADER, text(claims()), pair)
                token.write_text(made + "\n")
        certificate = KEYS / "certificate.pem"
        if not certificate.exists():
            openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", "/CN=test-only", "-days", "1", "-out", str(certificate))


def main():
    make_keys()
    target = HERE / "tokens.json"
    kept = json.loads(target.read_text()) if target.exists() else {}
    message = f"{HEAD}.{BODY}"
    TOKENS[PSS] = kept.get(PSS) or f"{message}.{b64(sign(message, scheme=padding.PSS(padding.MGF1(hashes.SHA512()), 64)))}"
    TOKENS["PS512"] = kept.get("PS512") or TOKENS["PS512"]
    target.write_text(json.dumps(TOKENS, indent=1) + "\n")


if __name__ == "__main__":
    main()
