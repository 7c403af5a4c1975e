//! Addresses that a stranger's input must not lead to.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 blocks that are not the public Internet. Source: the IANA registry of special-purpose addresses (RFC 6890 and its successors), multicast
/// (RFC 5771), reserved (RFC 1112), and one address that a cloud serves its metadata on outside of them.
const V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8, "unspecified or of this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by the customers of a carrier"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "the metadata service of a cloud"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a relay of IPv6"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// IPv6 blocks inside of `2000::/3` (the only block that is given out, RFC 4291) that are not the public Internet.
const V6: &[(Ipv6Addr, u32, &str)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "for protocols"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "for documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "an IPv4 address in IPv6 (6to4)"),
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16, "given back"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "for documentation"),
];

/// Why an address is not one of the public Internet; `None`: it is.
///
/// For whoever connects to where a stranger's input leads (webhooks): ask it of the address that is connected to, after the name was resolved, not of
/// the name. An IPv4 address that is mapped into IPv6, or translated by a NAT64 with the well-known prefix, is judged as itself.
#[must_use]
pub fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => v4_not_public(v4),
        IpAddr::V6(v6) => v6_not_public(v6),
    }
}

fn v4_not_public(address: Ipv4Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    V4.iter().find(|(block, length, _)| (bits ^ block.to_bits()) >> (32 - length) == 0).map(|(_, _, why)| *why)
}

fn v6_not_public(address: Ipv6Addr) -> Option<&'static str> {
    let bits = address.to_bits();
    let is_in = |block: Ipv6Addr, length: u32| (bits ^ block.to_bits()) >> (128 - length) == 0;
    let mapped = is_in(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
    let translated = is_in(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
    if mapped || translated {
        return v4_not_public(Ipv4Addr::from_bits(bits as u32));
    }
    if !is_in(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3) {
        return Some("outside of what is given out: loopback, link-local, private, multicast or reserved");
    }
    V6.iter().find(|(block, length, _)| is_in(*block, *length)).map(|(_, _, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, written by octets and not by masks.
    fn oracle(v4: Ipv4Addr) -> bool {
        !matches!(
            v4.octets(),
            [0 | 10 | 127 | 224..=255, ..]
                | [100, 64..=127, ..]
                | [168, 63, 129, 16]
                | [169, 254, ..]
                | [172, 16..=31, ..]
                | [192, 0, 0 | 2, _]
                | [192, 88, 99, _]
                | [192, 168, ..]
                | [198, 18 | 19, ..]
                | [198, 51, 100, _]
                | [203, 0, 113, _]
        )
    }

    /// Every /24 with its first, second, last and some other address; then the ends of each block and their neighbours.
    #[test]
    fn the_table_of_ipv4_is_right_for_every_block() {
        let ends = V4.iter().flat_map(|(block, length, _)| {
            let first = block.to_bits();
            let last = first | (u32::MAX.checked_shr(*length).unwrap_or(0));
            [first.wrapping_sub(1), first, last, last.wrapping_add(1)]
        });
        let all = (0..1u32 << 24).flat_map(|n| [0u32, 1, 16, 255].map(|low| n << 8 | low));
        for bits in all.chain(ends) {
            let v4 = Ipv4Addr::from_bits(bits);
            assert_eq!(v4_not_public(v4).is_none(), oracle(v4), "{v4}");
        }
    }

    #[test]
    fn ipv4_in_ipv6_is_judged_as_itself_or_refused() {
        for v4 in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "0.0.0.0", "100.100.100.200", "93.184.216.34", "8.8.8.8"] {
            let v4: Ipv4Addr = v4.parse().unwrap();
            let [a, b, c, d] = v4.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let public = oracle(v4);
            let v6 = |s: [u16; 8]| not_public(IpAddr::from(s)).is_none();
            assert_eq!(v6([0, 0, 0, 0, 0, 0xffff, high, low]), public, "mapped {v4}");
            assert_eq!(v6([0x64, 0xff9b, 0, 0, 0, 0, high, low]), public, "NAT64 {v4}");
            for never in [
                [0, 0, 0, 0, 0, 0, high, low],
                [0, 0, 0, 0, 0xffff, 0, high, low],
                [0x64, 0xff9b, 1, 0, 0, 0, high, low],
                [0x2002, high, low, 0, 0, 0, 0, 1],
                [0x2001, 0, 0x4136, 0xe378, 0x8000, 0x63bf, !high, !low],
            ] {
                assert!(!v6(never), "{}", Ipv6Addr::from(never));
            }
        }
    }

    #[test]
    fn ipv6_is_public_only_where_it_is_given_out() {
        for no in [
            "::",
            "::1",
            "fd00:ec2::254",
            "fc00::1",
            "fdff:ffff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "100::1",
            "5f00::1",
            "64:ff9b:1::1",
            "1fff:ffff::1",
            "4000::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002::1",
            "3ffe::1",
            "3fff::1",
            "3fff:fff:ffff::1",
            "8000::1",
        ] {
            assert!(not_public(no.parse().unwrap()).is_some(), "{no}");
        }
        for yes in [
            "2000::1",
            "2001:200::1",
            "2001:db7:ffff::1",
            "2001:db9::1",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700::1111",
            "2a00:1450::1",
            "3fff:1000::1",
        ] {
            assert_eq!(not_public(yes.parse().unwrap()), None, "{yes}");
        }
    }
}
