"""Which network addresses a request on behalf of a stranger may reach: only those of the public internet."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# Everything IANA lists as special-purpose, written out because `ipaddress.is_global` differs between patch
# releases of Python.
_CLOSED_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # "this" network; Linux connects 0.0.0.0 to itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, also a cloud's metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's platform channel behind a public address
        "169.254.0.0/16",  # link-local, the metadata service of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
    )
)
# The only IPv6 space in public use; everything outside it is closed without naming it.
_GLOBAL_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, with Teredo, benchmarks and ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries an IPv4 address of the sender's choice
        "3fff::/20",  # documentation
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP_MARKERS = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")


def is_public_address(address: str) -> bool:
    """Whether `address` (dotted IPv4 or IPv6 text) is a unicast address of the public internet.

    Addresses that smuggle an IPv4 address (mapped, NAT64, ISATAP) are judged by what they carry.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return _is_public_v4(parsed)
    return _is_public_v6(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in network for network in _CLOSED_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return _is_public_v4(address.ipv4_mapped)
    packed = address.packed
    if address in _NAT64:
        # Hosts on IPv6-only networks reach public IPv4 servers this way, so it stays open for those.
        return _is_public_v4(IPv4Address(packed[12:]))
    if packed[8:12] in _ISATAP_MARKERS:
        return False
    return address in _GLOBAL_V6 and not any(address in network for network in _CLOSED_V6)
