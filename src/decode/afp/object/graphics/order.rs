//! Cuts graphics data into drawing orders.
//!
//! Rule: GOCA, "Drawing Order Formats". One byte X'00' alone is a no-operation; a code with bits `0xxx1xxx` has one byte of
//! data; X'FE' has a qualifier and a two-byte length; every other code has a one-byte length.

use crate::decode::afp::bytes::{u8_at, u16_at};

const NOP: u8 = 0x00;
const EXTENDED: u8 = 0xFE;

/// One drawing order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order<'a> {
    /// Its code; for an extended order X'FE' and the qualifier.
    pub code: u16,
    /// Its data, without code and length.
    pub data: &'a [u8],
}

/// The orders of a GAD, in order.
pub struct Orders<'a> {
    data: &'a [u8],
    at: usize,
    /// The data ended inside an order.
    pub cut: bool,
}

impl<'a> Orders<'a> {
    /// The orders of `data`.
    pub fn new(data: &'a [u8]) -> Orders<'a> {
        Orders { data, at: 0, cut: false }
    }

    /// Skips bytes (an unchained segment).
    pub fn pass_over(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    fn take(&mut self, head: usize, length: usize) -> Option<&'a [u8]> {
        let start = self.at.checked_add(head)?;
        let end = start.checked_add(length)?;
        let data = self.data.get(start..end)?;
        self.at = end;
        Some(data)
    }

    fn read(&mut self, code: u8) -> Option<Order<'a>> {
        let at = self.at;
        if code == EXTENDED {
            let code = u16_at(self.data, at)?;
            let length = usize::from(u16_at(self.data, at.checked_add(2)?)?);
            return Some(Order { code, data: self.take(4, length)? });
        }
        let (head, length) = match code {
            NOP => (1, 0),
            _ if code & 0x88 == 0x08 => (1, 1),
            _ => (2, usize::from(u8_at(self.data, at.checked_add(1)?)?)),
        };
        Some(Order { code: u16::from(code), data: self.take(head, length)? })
    }
}

impl<'a> Iterator for Orders<'a> {
    type Item = Order<'a>;

    fn next(&mut self) -> Option<Order<'a>> {
        let code = u8_at(self.data, self.at)?;
        let order = self.read(code);
        if order.is_none() {
            self.cut = true;
            self.at = self.data.len();
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_long_and_extended_orders_are_told_apart() {
        let data = [0x00, 0x18, 0x07, 0x21, 0x04, 0, 1, 0, 2, 0xFE, 0xDC, 0, 2, 9, 9, 0x68, 0xC0, 0x60, 0x00];
        let orders: Vec<_> = Orders::new(&data).map(|order| (order.code, order.data.to_vec())).collect();
        let expected: Vec<(u16, Vec<u8>)> = vec![
            (0x00, vec![]),
            (0x18, vec![7]),
            (0x21, vec![0, 1, 0, 2]),
            (0xFEDC, vec![9, 9]),
            (0x68, vec![0xC0]),
            (0x60, vec![]),
        ];
        assert_eq!(orders, expected);
    }

    #[test]
    fn data_that_ends_inside_an_order_is_told() {
        for cut in [&[0x21u8, 0x04, 0][..], &[0x21], &[0xFE, 0xDC, 0], &[0x18], &[0xFE, 0xDC, 0xFF, 0xFF, 1]] {
            let mut orders = Orders::new(cut);
            assert_eq!(orders.next(), None);
            assert!(orders.cut);
            assert_eq!(orders.next(), None);
        }
    }
}
