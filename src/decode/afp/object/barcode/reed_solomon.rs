//! Reed-Solomon check symbols over the fields GF(2^m).

/// A field with its tables of powers and logarithms.
pub struct Field {
    powers: Vec<u16>,
    logs: Vec<u16>,
}

impl Field {
    /// GF(2^`bits`) by its primitive polynomial; `bits` from 1 to 12.
    pub fn new(bits: u32, polynomial: u32) -> Field {
        let size = 1usize << bits.min(12);
        let mut powers = Vec::with_capacity(size);
        let mut logs = vec![0u16; size];
        let mut value = 1usize;
        for power in 0..size - 1 {
            powers.push(u16::try_from(value).unwrap_or(0));
            if let Some(log) = logs.get_mut(value) {
                *log = u16::try_from(power).unwrap_or(0);
            }
            value <<= 1;
            if value >= size {
                value = (value ^ polynomial as usize) & (size - 1);
            }
        }
        Field { powers, logs }
    }

    fn power(&self, exponent: usize) -> u16 {
        self.powers.get(exponent % self.powers.len().max(1)).copied().unwrap_or(0)
    }

    fn times(&self, a: u16, b: u16) -> u16 {
        let log = |value: u16| self.logs.get(usize::from(value)).copied().map(usize::from);
        match (a, b, log(a), log(b)) {
            (0, ..) | (_, 0, ..) => 0,
            (_, _, Some(a), Some(b)) => self.power(a + b),
            _ => 0,
        }
    }

    /// `count` check symbols for `data`, for the generator with the roots a^`first`, a^(`first`+1) and so on; the one of the
    /// highest power first.
    pub fn checks(&self, data: &[u16], count: usize, first: usize) -> Vec<u16> {
        // The generator without its leading 1, highest power first.
        let mut generator = vec![1u16];
        for root in first..first + count {
            let root = self.power(root);
            let shifted = generator.iter().copied().chain([0]);
            let scaled = [0].into_iter().chain(generator.iter().map(|part| self.times(*part, root)));
            generator = shifted.zip(scaled).map(|(a, b)| a ^ b).collect();
        }
        let tail = generator.get(1..).unwrap_or_default();
        let mut rest = vec![0u16; count];
        for symbol in data {
            let factor = symbol ^ rest.first().copied().unwrap_or(0);
            let moved = rest.iter().skip(1).copied().chain([0]);
            rest = moved.zip(tail).map(|(part, coefficient)| part ^ self.times(factor, *coefficient)).collect();
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_word_is_zero_at_every_root() {
        for (bits, polynomial, first) in [(4, 0x13, 1), (6, 0x43, 1), (8, 0x11D, 0), (8, 0x12D, 1), (12, 0x1069, 1)] {
            let field = Field::new(bits, polynomial);
            let mut word = vec![3, 1, 4, 1, 5, 9, 2, 6];
            let checks = field.checks(&word, 5, first);
            word.extend(checks);
            for root in first..first + 5 {
                let at = word.iter().fold(0, |sum, part| field.times(sum, field.power(root)) ^ part);
                assert_eq!(at, 0, "GF(2^{bits}) root {root}");
            }
        }
    }
}
