//! The address of a webhook, by its form. Where it leads is judged when something is sent, by whoever connects.
use crate::error::{Error, Result};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest address, in bytes.
const MAX_URL: usize = 2048;

/// An address that events can be sent to.
///
/// Strict where readers of URLs differ: no user information, no fragment, no backslash, no host in another spelling of numbers than four decimal
/// ones, no host beyond ASCII (write it in its `xn--` form). So what is checked is what is connected to.
///
/// # Errors
/// `InvalidInput`. The address is not repeated: its path may hold a token.
pub(super) fn check(field: &str, url: &str) -> Result<()> {
    problem(url).map_or(Ok(()), |problem| Err(Error::invalid(field, problem)))
}

fn problem(url: &str) -> Option<&'static str> {
    if url.len() > MAX_URL {
        return Some("it is longer than 2,048 characters");
    }
    if !url.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}')) {
        return Some("it contains characters that an address cannot have");
    }
    if url.contains('#') {
        return Some("it has a fragment");
    }
    let Some((scheme, rest)) = url.split_once("://") else { return Some("it is not an absolute address") };
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return Some("it is neither https nor http");
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some("it contains user information");
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let Some((host, port)) = v6.split_once(']') else { return Some("its host is not closed") };
            if host.parse::<Ipv6Addr>().is_err() {
                return Some("its host is no IPv6 address");
            }
            match port {
                "" => (None, None),
                port => match port.strip_prefix(':') {
                    Some(port) => (None, Some(port)),
                    None => return Some("its host is followed by something else than a port"),
                },
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(authority), None),
        },
    };
    if port.is_some_and(|port| !port.bytes().all(|b| b.is_ascii_digit()) || !port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Some("its port is not 1 to 65535");
    }
    host.and_then(host_problem)
}

fn host_problem(host: &str) -> Option<&'static str> {
    let label_ok = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            && !label.starts_with('-')
    };
    if host.is_empty() || host.len() > 253 || !host.split('.').all(label_ok) {
        return Some("its host is no name");
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || hexadecimal.is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    (is_number && host.parse::<Ipv4Addr>().is_err()).then_some("its host is a number in another spelling than four decimal ones")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_have_their_form() {
        for good in [
            "https://example.com",
            "https://example.com/",
            "HTTPS://Example.com:8443/hooks?a=b&c=%20d",
            "http://127.0.0.1:80/x",
            "http://[::1]:9/x",
            "http://[2001:db8::1]",
            "https://xn--mnchen-3ya.example/hooks",
            "https://a_b.example.com/h~ooks/@me;v=1",
            "http://localhost:4010/hook",
        ] {
            check("url", good).unwrap();
        }
        let long = format!("https://example.com/{}", "x".repeat(2048));
        for bad in [
            "",
            "example.com",
            "//example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://user@example.com",
            "https://user:secret@example.com",
            "https://example.com@127.0.0.1/",
            "https://example.com\\@127.0.0.1/",
            "https://example.com#@127.0.0.1/",
            "https://exa mple.com",
            "https://example.com/\n",
            "https://example.com:0",
            "https://example.com:",
            "https://example.com:65536",
            "https://example.com:+80",
            "https://example.com.",
            "https://.example.com",
            "https://a..b",
            "https://-a.example",
            "https://münchen.example",
            "https://%6c%6fcalhost",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://127.0.0.0x1/",
            "http://127.0.0.1.2/",
            "http://1.2.3.256/",
            "http://[::1",
            "http://[::1]x",
            "http://[::1%25eth0]/",
            "http://[127.0.0.1]/",
            "http://[::ffff:127.0.0.1/",
            &long,
        ] {
            let e = check("url", bad).expect_err(bad);
            assert_eq!((e.field(), e.code()), (Some("url"), "invalid_input"));
            assert!(!e.to_string().contains("secret"));
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = (check("url", &text), check("url", &format!("https://{text}")));
        }
    }
}
