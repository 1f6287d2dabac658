//! Byte ranges (RFC 9110, section 14).

/// What part of a content is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// All of it: no range, or one that we may ignore (several parts, another unit, nonsense).
    Whole,
    /// From the first to the last byte, both included.
    Part(u64, u64),
    /// No byte of it exists.
    Outside,
}

/// Reads a `Range` header for a content of `len` bytes.
pub fn read(header: Option<&str>, len: u64) -> Asked {
    let Some(spec) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else { return Asked::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else { return Asked::Whole };
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    if first.is_empty() {
        return match number(last) {
            None => Asked::Whole,
            Some(0) => Asked::Outside,
            Some(_) if len == 0 => Asked::Outside,
            Some(count) => Asked::Part(len.saturating_sub(count), len - 1),
        };
    }
    let Some(from) = number(first) else { return Asked::Whole };
    let to = if last.is_empty() { Some(u64::MAX) } else { number(last) };
    match to {
        None => Asked::Whole,
        Some(to) if to < from => Asked::Whole,
        Some(_) if from >= len => Asked::Outside,
        Some(to) => Asked::Part(from, to.min(len - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        for (text, meant) in [
            ("bytes=0-0", Asked::Part(0, 0)),
            ("bytes=10-19", Asked::Part(10, 19)),
            ("bytes=90-", Asked::Part(90, 99)),
            ("bytes=90-1000", Asked::Part(90, 99)),
            ("bytes=-10", Asked::Part(90, 99)),
            ("bytes=-1000", Asked::Part(0, 99)),
            ("bytes=100-", Asked::Outside),
            ("bytes=-0", Asked::Outside),
            ("bytes=5-3", Asked::Whole),
            ("bytes=0-1,5-6", Asked::Whole),
            ("lines=1-2", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("bytes=99999999999999999999999-", Asked::Whole),
        ] {
            assert_eq!(read(Some(text), 100), meant, "{text}");
        }
        assert_eq!(read(None, 100), Asked::Whole);
        assert_eq!(read(Some("bytes=-5"), 0), Asked::Outside);
    }
}
