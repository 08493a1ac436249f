"""Who may call our servers, and what is said when their port cannot be had."""

import errno
import socket

import pytest

from app.hosting import allowed_hosts, listen
from qdrant.errors import CannotRunNow, UsageError

LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]
OWN = socket.gethostname().lower()


@pytest.mark.parametrize(
    "host, allow_hosts, allowed",
    [
        ("127.0.0.1", (), LOOPBACK),
        ("::1", (), LOOPBACK),
        ("localhost", ("Edit.Example",), [*LOOPBACK, "edit.example"]),
        ("0.0.0.0", (), [*LOOPBACK, OWN]),
        ("::", (), [*LOOPBACK, OWN]),
        ("0.0.0.0", ("edit.example",), [*LOOPBACK, OWN, "edit.example"]),
        ("192.0.2.7", (), [*LOOPBACK, OWN, "192.0.2.7"]),
        ("2001:db8::7", ("*.example",), [*LOOPBACK, OWN, "[2001:db8::7]", "*.example"]),
    ],
)
def test_only_names_of_this_machine_are_answered_to(
    host: str, allow_hosts: tuple[str, ...], allowed: list[str]
) -> None:
    assert sorted(allowed_hosts(host, allow_hosts)) == sorted(set(allowed))


@pytest.mark.parametrize("name", ["*", "", "*example", "http://edit.example", "edit.example:8501"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no name of a machine"):
        allowed_hosts("0.0.0.0", [name])


class NoPermission(socket.socket):
    def bind(self, address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")


def test_a_port_without_permission_is_not_told_as_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.hosting.socket.socket", NoPermission)
    with pytest.raises(CannotRunNow, match=r"Port 80 on 127\.0\.0\.1 needs a permission"):
        listen("127.0.0.1", 80)


def test_no_socket_at_all_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(family: int) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr("app.hosting.socket.socket", refuse)
    with pytest.raises(CannotRunNow, match=r"cannot be had \(Address family not supported"):
        listen("::1", 8501)


def test_a_taken_port_is_told_as_taken_and_a_free_one_is_ours() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(CannotRunNow, match=f"Port {port} on 127.0.0.1 is taken"):
            listen("127.0.0.1", port)
