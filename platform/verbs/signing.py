"""careloom packs key, sign, trust, distrust, signers: who vouches for a pack."""

import os
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from flask.cli import with_appcontext

from ..identity.actor import SYSTEM
from ..packs import signers as whose
from ..packs.archive import files_at, zipped
from ..packs.read import canonical, pack_of
from ..packs.signature import SIGNATURE, named, sign
from ..store.errors import Malformed
from .answers import database, refusals_in_words, told


@click.command("key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_appcontext
def new_key(file: Path) -> None:
    """Make a key to sign packs with, in FILE, which only its owner may read."""
    key = Ed25519PrivateKey.generate()
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(told("cli.packs.key_there", file=file)) from None
    with os.fdopen(descriptor, "wb") as out:
        out.write(written)
    click.echo(told("cli.packs.key", file=file, key=named(key)))


@click.command("sign")
@click.argument("pack", type=click.Path(exists=True, path_type=Path))
@click.option("--key", "file", type=click.Path(exists=True, path_type=Path), required=True)
@with_appcontext
@refusals_in_words
def sign_pack(pack: Path, file: Path) -> None:
    """Sign PACK, a folder or a zip, with the key in FILE (`careloom packs key`); a signature that
    it had goes."""
    files = {name: content for name, content in files_at(pack).items() if name != SIGNATURE}
    pack_of(files)  # nobody vouches for what no house would take in
    signature = canonical(sign(files, _key(file)))
    if pack.is_dir():
        (pack / SIGNATURE).write_bytes(signature)
    else:
        part = pack.with_name(pack.name + ".part")
        part.write_bytes(zipped({**files, SIGNATURE: signature}))
        os.replace(part, pack)
    click.echo(told("cli.packs.signed", pack=pack, count=len(files)))


def _key(file: Path) -> Ed25519PrivateKey:
    """Raises Malformed when there is no such key in the file."""
    try:
        found = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise Malformed("E_PACK_KEY_FILE", file=str(file)) from error
    if not isinstance(found, Ed25519PrivateKey):
        raise Malformed("E_PACK_KEY_FILE", file=str(file))
    return found


# one key in 64 begins with a dash and is no option for that
@click.command("trust", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("key")
@with_appcontext
@refusals_in_words
def trust(name: str, key: str) -> None:
    """From now on packs signed with KEY (43 letters) come in as NAME's."""
    database().write(lambda session: whose.trust(session, SYSTEM, name, key))
    click.echo(told("cli.packs.trusted", name=name))


@click.command("distrust")
@click.argument("name")
@with_appcontext
@refusals_in_words
def distrust(name: str) -> None:
    """NAME's signature counts no more; what came in stays."""
    database().write(lambda session: whose.distrust(session, SYSTEM, name))
    click.echo(told("cli.packs.distrusted", name=name))


@click.command("signers")
@with_appcontext
def list_signers() -> None:
    """Those whose signature counts here, with their keys."""
    with database().read() as session:
        for row in whose.signers(session, SYSTEM):
            click.echo(f"{row.name}  {row.key}")


SIGNING = (new_key, sign_pack, trust, distrust, list_signers)
