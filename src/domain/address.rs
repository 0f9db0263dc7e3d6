//! Which addresses of the network we may call: the public ones.
//!
//! A provider's name is the operator's choice, but what it resolves to is not: without this rule a
//! name could lead a call into the machine itself or the network around it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The networks of IPv4 that are not the public internet: first address, length of the prefix.
const PRIVATE_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 3),
];

/// The networks within 2000::/3 that are set aside: protocols with Teredo among them, and
/// documentation.
const SET_ASIDE_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
const MAPPED: (Ipv6Addr, u32) = (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
const SIX_TO_FOUR: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);

/// Whether an address is on the public internet. One that embeds an address of IPv4 (mapped, NAT64,
/// 6to4) is as public as that.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_within = |(first, length): &([u8; 4], u32)| {
        let differing = u32::from(address) ^ u32::from(Ipv4Addr::from(*first));
        differing.leading_zeros() >= *length
    };
    !PRIVATE_V4.iter().any(is_within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let is_within = |(first, length): &(Ipv6Addr, u32)| {
        (u128::from(address) ^ u128::from(*first)).leading_zeros() >= *length
    };
    let [.., a, b, c, d] = address.octets();
    if is_within(&MAPPED) || is_within(&NAT64) {
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    let [_, _, a, b, c, d, ..] = address.octets();
    if is_within(&SIX_TO_FOUR) {
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    is_within(&GLOBAL_V6) && !SET_ASIDE_V6.iter().any(is_within)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "\
        1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 \
        128.0.0.0 169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 \
        198.17.255.255 198.20.0.0 223.255.255.255 2000::1 2001:200::1 2606:4700::1111 \
        2a00:1450::1 2002:808:808::1 ::ffff:8.8.8.8 64:ff9b::8.8.8.8";

    const OTHERS: &str = "\
        0.0.0.0 0.255.255.255 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255 \
        169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 \
        192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.255 224.0.0.1 \
        239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::8.8.8.8 ::ffff:127.0.0.1 \
        ::ffff:10.1.2.3 64:ff9b::10.0.0.1 64:ff9b:1::8.8.8.8 100::1 1fff::1 2001::1 \
        2001:2::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:c0a8:101::1 3fff:fff::1 4000::1 \
        5f00::1 fc00::1 fd12:3456::1 fe80::1 fec0::1 ff02::1";

    #[test]
    fn only_the_internet_is_public() {
        for (texts, expected) in [(PUBLIC, true), (OTHERS, false)] {
            for text in texts.split_whitespace() {
                assert_eq!(is_public(text.parse().unwrap()), expected, "{text}");
            }
        }
    }
}
