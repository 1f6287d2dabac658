//! Addresses of a list page with other parameters.

use super::coded;

/// A list page with the parameters it was asked with.
pub struct Links<'p> {
    /// Its path.
    pub base: &'p str,
    /// Name and value, in order; a name may stand several times.
    pub asked: Vec<(&'p str, &'p str)>,
}

impl Links<'_> {
    /// The page as it was asked for.
    pub fn here(&self) -> String {
        self.made(self.asked.iter().copied())
    }

    /// The same list from its first page, with these parameters set, or taken away when empty.
    pub fn with(&self, changes: &[(&str, &str)]) -> String {
        let changed = |name: &str| name == "cursor" || changes.iter().any(|(other, _)| *other == name);
        let kept = self.asked.iter().filter(|(name, _)| !changed(name)).copied();
        let set = changes.iter().filter(|(_, value)| !value.is_empty()).copied();
        self.made(kept.chain(set))
    }

    /// The list narrowed to a facet's value; with an empty value, no longer narrowed.
    pub fn narrowed(&self, facet: &str, value: &str) -> String {
        match (facet, value) {
            ("year", "") => self.with(&[("from", ""), ("to", "")]),
            ("year", year) => self.with(&[("from", &format!("{year}-01-01")), ("to", &format!("{year}-12-31"))]),
            _ => self.with(&[(facet, value)]),
        }
    }

    fn made<'a>(&self, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        let pairs: Vec<_> = pairs.map(|(name, value)| format!("{name}={}", coded(value))).collect();
        if pairs.is_empty() { self.base.to_string() } else { format!("{}?{}", self.base, pairs.join("&")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_starts_anew_when_something_is_changed() {
        let links =
            Links { base: "/agent", asked: vec![("q", "a b"), ("kind", "bill"), ("cursor", "00"), ("col", "date")] };
        assert_eq!(links.here(), "/agent?q=a%20b&kind=bill&cursor=00&col=date");
        assert_eq!(links.with(&[]), "/agent?q=a%20b&kind=bill&col=date");
        assert_eq!(links.with(&[("q", ""), ("kind", ""), ("col", "")]), "/agent");
        assert_eq!(links.narrowed("year", "2024"), "/agent?q=a%20b&kind=bill&col=date&from=2024-01-01&to=2024-12-31");
    }
}
