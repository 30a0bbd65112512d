"""Tests of libsodium are collected where PyNaCl is; .ci/run runs the others without it too."""

from tallystick.signing.ed25519 import verified_by

collect_ignore = [] if "libsodium" in verified_by() else ["test_libsodium.py"]
