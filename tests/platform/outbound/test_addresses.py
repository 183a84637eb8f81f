"""Which spellings are addresses, and which numbers may be called."""

from ipaddress import ip_address

import pytest

from careloom.platform.outbound.addresses import (
    Allowed,
    BadAddress,
    is_public,
    read_allowed,
    read_target,
)

NO_ADDRESS = """
https://127.1/ https://0/ https://0x7f.1/ https://0x7f000001/ https://2130706433/
https://017700000001/ https://0177.0.0.1/ https://127.0.0.01/ https://127.0.0.1./
https://127.0.1/ https://0x/ https://1.2.3.256/ https://1.2.3.4.5/ https://[::1%25eth0]/
https://[fe80::1%eth0]/ https://[::1/ https://::1/ https://[127.0.0.1]/ https://[v1.a]/
https://localhost./ https://a..b/ https://-a.example/ https://a-.example/ https://a_b.example/
https://①②⑦.0.0.1/ https://127。0。0。1/ https://诊所.中国/ https://ex%61mple.com/
https://example.com%00.evil/ https://user@127.0.0.1/ https://example.com@127.0.0.1/
https://user:pass@example.com/ https://127.0.0.1\\@example.com/ https://127.0.0.1#@example.com/
https://example.com:/ https://example.com:0/ https://example.com:99999/ https://example.com:8o/
https://example.com:-1/ https:///x https:example.com https:/example.com //example.com/ example.com
https://example.com/a|b https://example.com/\x00 https://example.com/#a
https://[::1]x/ https://[::1]:443x/ https://.example.com/ https:// https://exa\tmple.com/
""".replace("\n", " ").split(" ")
NO_ADDRESS = [one for one in NO_ADDRESS if one] + ["https://example.com/\n", "https://a.b\n.c/", ""]
NO_SCHEME = [
    f"{scheme}://example.com/"
    for scheme in ("gopher", "file", "ftp", "dict", "ldap", "jar", "ws", "data")
]
NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254
169.254.169.254 169.254.0.1 168.63.129.16 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1
192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1
240.0.0.1 255.255.255.255 :: ::1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1
::ffff:169.254.169.254 ::127.0.0.1 ::8.8.8.8 64:ff9b::7f00:1 64:ff9b::10.0.0.1
64:ff9b::169.254.169.254 64:ff9b:1::8.8.8.8
100::1 2001::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00::1
fd00:ec2::254 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1
""".split()
PUBLIC = """
1.1.1.1 8.8.8.8 39.156.66.10 110.242.68.66 172.15.255.255 172.32.0.1 192.167.255.255 198.17.255.255
2001:4860:4860::8888 2400:3200::1 2408:8000::1 64:ff9b::808:808 ::ffff:8.8.8.8
""".split()  # fmt: skip


def refused(address: str, number: str | None = None, allow: str = "") -> str:
    """The code of the refusal; empty when it may be called."""
    try:
        target = read_target(address)
        allowed = read_allowed(allow)
        allowed.may_be(target)
        if number is not None:
            allowed.judge(target, ip_address(number))
    except BadAddress as bad:
        return bad.code
    return ""


@pytest.mark.parametrize("address", NO_ADDRESS)
def test_t58_what_is_spelt_otherwise_is_no_address(address: str) -> None:
    assert refused(address) == "E_CALL_ADDRESS" or refused(address) == "E_CALL_SCHEME"
    assert refused(address, allow="0.0.0.0/0, http://[::]/0") in ("E_CALL_ADDRESS", "E_CALL_SCHEME")


@pytest.mark.parametrize("address", NO_SCHEME)
def test_t58_only_https_is_spoken(address: str) -> None:
    assert refused(address, allow="http://example.com") == "E_CALL_SCHEME"


def test_t58_the_numbers_that_are_not_public() -> None:
    for number in NOT_PUBLIC:
        assert not is_public(ip_address(number)), number
        host = f"[{number}]" if ":" in number else number
        assert refused(f"https://{host}/") == "E_CALL_INSIDE", number
        assert refused("https://example.com/", number) == "E_CALL_INSIDE", number
    for number in PUBLIC:
        assert is_public(ip_address(number)), number
        assert refused("https://example.com/", number) == "", number


@pytest.mark.parametrize(
    ("address", "number", "allow", "code"),
    [
        ("https://example.com/", "8.8.8.8", "", ""),
        ("https://EXAMPLE.com/a?b=c", "8.8.8.8", "", ""),
        ("https://xn--fiq228c.cn/", "8.8.8.8", "", ""),
        ("http://example.com/", "8.8.8.8", "", "E_CALL_SCHEME"),
        ("http://example.com/", "8.8.8.8", "example.com", "E_CALL_SCHEME"),
        ("http://example.com/", "8.8.8.8", "http://example.com", ""),
        ("https://example.com:8443/", "8.8.8.8", "", "E_CALL_PORT"),
        ("https://example.com:6379/", "8.8.8.8", "example.com:8443", "E_CALL_PORT"),
        ("https://example.com:8443/", "8.8.8.8", "example.com:8443", ""),
        ("https://his.lan/", "10.1.2.3", "", "E_CALL_INSIDE"),
        ("https://his.lan/", "10.1.2.3", "his.lan", ""),
        ("https://his.lan/", "100.64.3.4", "HIS.lan", ""),
        ("https://his.lan/", "fd00::7", "his.lan", ""),
        ("https://other.lan/", "10.1.2.3", "his.lan", "E_CALL_INSIDE"),
        # A name that is allowed does not lead to this machine, or to a cloud's keys.
        ("https://his.lan/", "127.0.0.1", "his.lan", "E_CALL_INSIDE"),
        ("https://his.lan/", "::1", "his.lan", "E_CALL_INSIDE"),
        ("https://his.lan/", "::ffff:127.0.0.1", "his.lan", "E_CALL_INSIDE"),
        ("https://his.lan/", "169.254.169.254", "his.lan", "E_CALL_INSIDE"),
        ("https://his.lan/", "100.100.100.200", "his.lan", "E_CALL_INSIDE"),
        ("https://his.lan/", "fd00:ec2::254", "his.lan", "E_CALL_INSIDE"),
        ("https://his.lan/", "0.0.0.0", "his.lan", "E_CALL_INSIDE"),
        ("https://his.lan/", "10.1.2.3", "10.1.0.0/16", ""),
        ("https://his.lan/", "10.2.2.3", "10.1.0.0/16", "E_CALL_INSIDE"),
        ("https://10.1.2.3/", None, "10.1.0.0/16", ""),
        ("https://10.1.2.3/", None, "", "E_CALL_INSIDE"),
        ("https://10.1.2.3:8443/", None, "10.1.0.0/16", "E_CALL_PORT"),
        ("https://10.1.2.3:8443/", None, "10.1.2.3:8443", ""),
        ("http://10.1.2.3:8080/", None, "10.1.2.3:8080", "E_CALL_SCHEME"),
        ("http://10.1.2.3:8080/", None, "http://10.1.2.3:8080", ""),
        ("http://[fd00::7]:8080/", None, "http://[fd00::]/8:8080", ""),
        ("https://his.lan/", "::ffff:10.1.2.3", "10.1.0.0/16", ""),
        ("https://127.0.0.1:9000/", None, "127.0.0.1:9000", ""),
        ("https://127.0.0.1:9001/", None, "127.0.0.1:9000", "E_CALL_PORT"),
        # Unencrypted to one does not open another.
        ("http://a.lan/", "10.1.2.3", "http://b.lan, a.lan", "E_CALL_SCHEME"),
        ("http://10.1.2.3/", None, "http://10.9.0.0/16, 10.1.0.0/16", "E_CALL_SCHEME"),
    ],
)
def test_t58_what_the_operator_allows(
    address: str, number: str | None, allow: str, code: str
) -> None:
    assert refused(address, number, allow) == code


def test_a_target_names_its_host_as_a_request_does() -> None:
    assert read_target("https://Example.com").named == "example.com"
    assert read_target("https://example.com:8443/a").named == "example.com:8443"
    assert read_target("https://[2001:DB8::1]:444/").named == "[2001:db8::1]:444"
    assert read_target("https://example.com?key=1").path == "/?key=1"
    with pytest.raises(BadAddress):
        read_target("https://example.com/" + "a" * 1000)


@pytest.mark.parametrize(
    "text",
    ["a_b", "10.0.0.1/8", "10.0.0.0/33", "[::1", "a:0", "a:70000", "ftp://a", "a/8", "127.1"],
)
def test_a_setting_that_means_nothing_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        read_allowed(text)


def test_without_the_setting_nothing_is_allowed() -> None:
    assert read_allowed(" ").entries == Allowed().entries == ()
