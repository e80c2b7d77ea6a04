"""Names of files and folders that may hold secrets. Cheap to import: the search worker does too."""

from __future__ import annotations

from fnmatch import fnmatchcase

_SECRET_FOLDERS = frozenset(
    [
        ".ssh",
        ".aws",
        ".azure",
        ".gnupg",
        ".kube",
        ".docker",
        ".password-store",
        ".mozilla",
        ".thunderbird",
        "gcloud",
    ]
)
_SECRET_FILES = (
    # Environment files and what tools keep passwords and tokens in.
    ".env*", "*.env", ".envrc", ".netrc", "_netrc", ".npmrc", ".yarnrc*", ".pypirc", ".pgpass",
    ".my.cnf", ".git-credentials", ".htpasswd", ".authinfo*", ".dockercfg", ".vault-token",
    ".s3cfg", ".boto", "credentials", "credentials.*", ".credentials*", "*credentials.json",
    "client_secret*", "service?account*.json", "secrets.*", ".secrets*", "*.tfvars", "*.tfstate",
    ".*_history",
    # Keys and key stores. `id_*`: OpenSSH's names; an extension makes it something else.
    "*.pem", "*.key", "*.p12", "*.pfx", "*.p8", "*.jks", "*.keystore", "*.kdbx", "*.asc", "*.gpg",
    "*.ppk", "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*",
)  # fmt: skip


def secret_name(name: str) -> bool:
    """Whether a file or folder of that name may hold secrets. Case does not matter."""
    folded = name.casefold()
    if folded in _SECRET_FOLDERS:
        return True
    if folded.startswith("id_") and "." not in folded:
        return True
    return any(fnmatchcase(folded, pattern) for pattern in _SECRET_FILES)
