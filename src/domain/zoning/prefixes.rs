//! From the beginning of a number to the zones in which it may be: `prefixes.txt`.

use std::sync::LazyLock;

/// Which zones: a line's worth of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(u16);

const TABLE: &str = include_str!("prefixes.txt");

/// The lines of a table of ours: a key and the zones behind it.
pub(super) fn lines(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '))
}

/// A digit of a number leads from node to node, so a look-up costs as many steps as the longest prefix that fits.
#[derive(Default)]
struct Tree {
    /// For each digit the node that follows; 0 for none, since nothing leads back to the first.
    nodes: Vec<[u16; 10]>,
    regions: Vec<Option<Region>>,
    /// The zones of each region, with a blank between their names.
    zones: Vec<&'static str>,
}

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let mut tree = Tree { nodes: vec![[0; 10]], regions: vec![None], ..Tree::default() };
    lines(TABLE).for_each(|(prefix, zones)| tree.add(prefix, zones));
    tree
});

impl Tree {
    fn add(&mut self, prefix: &str, zones: &'static str) {
        let mut node = 0;
        for digit in prefix.bytes().filter_map(place_of) {
            if self.nodes[node][digit] == 0 {
                self.nodes[node][digit] = u16::try_from(self.nodes.len()).unwrap_or_default();
                self.nodes.push([0; 10]);
                self.regions.push(None);
            }
            node = usize::from(self.nodes[node][digit]);
        }
        let known = self.zones.iter().position(|known| *known == zones);
        let region = known.unwrap_or_else(|| {
            self.zones.push(zones);
            self.zones.len() - 1
        });
        self.regions[node] = u16::try_from(region).ok().map(Region);
    }

    fn region(&self, digits: &str) -> Option<Region> {
        let (mut node, mut found) = (0, None);
        for digit in digits.bytes() {
            node = match place_of(digit).map(|digit| self.nodes[node][digit]) {
                None | Some(0) => break,
                Some(next) => usize::from(next),
            };
            found = self.regions[node].or(found);
        }
        found
    }
}

fn place_of(digit: u8) -> Option<usize> {
    digit.is_ascii_digit().then(|| usize::from(digit - b'0'))
}

impl Region {
    /// The region of a number in canonical form; `None` for a short one, and for those that belong to no country.
    #[must_use]
    pub fn of(number: &str) -> Option<Self> {
        TREE.region(number.strip_prefix('+')?)
    }

    /// The names of its zones, with a blank between them.
    #[must_use]
    pub fn zones(self) -> &'static str {
        TREE.zones[usize::from(self.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::Zones;
    use super::*;

    fn zones_of(number: &str) -> Option<&'static str> {
        Region::of(number).map(Region::zones)
    }

    #[test]
    fn the_table_is_in_order_without_doubles_and_each_zone_exists() {
        let prefixes: Vec<&str> = lines(TABLE).map(|(prefix, _)| prefix).collect();
        assert!(prefixes.is_sorted_by(|a, b| a < b));
        assert!(prefixes.iter().all(|prefix| prefix.bytes().all(|b| b.is_ascii_digit())));
        assert!(TREE.nodes.len() < usize::from(u16::MAX));
        for (prefix, zones) in lines(TABLE) {
            let read: Zones = zones.parse().unwrap();
            assert_eq!(read.to_string(), zones, "{prefix}");
        }
    }

    #[test]
    fn the_longest_prefix_counts() {
        assert_eq!(zones_of("+4930123456"), Some("Europe/Berlin"));
        assert_eq!(zones_of("+12125550123"), Some("America/New_York"));
        assert_eq!(zones_of("+13105550123"), Some("America/Los_Angeles"));
        assert_eq!(zones_of("+14165550123"), Some("America/Toronto"));
        assert_eq!(zones_of("+77011234567"), Some("Asia/Almaty"));
        assert_eq!(zones_of("+61291234567"), Some("Australia/Sydney"));
        assert_eq!(zones_of("+5565912345678"), Some("America/Manaus"));
    }

    #[test]
    fn who_may_be_anywhere_in_a_country_has_all_of_its_zones() {
        for (number, among) in [
            ("+79161234567", ["Europe/Kaliningrad", "Asia/Kamchatka"]),
            ("+61412345678", ["Australia/Perth", "Australia/Sydney"]),
            ("+18005550123", ["America/St_Johns", "Pacific/Honolulu"]),
            ("+5592912345678", ["America/Manaus", "America/Sao_Paulo"]),
            ("+628123456789", ["Asia/Jakarta", "Asia/Jayapura"]),
        ] {
            let zones: Vec<&str> = zones_of(number).unwrap().split(' ').collect();
            assert!(among.iter().all(|zone| zones.contains(zone)), "{number}: {zones:?}");
        }
    }

    #[test]
    fn what_is_of_no_country_has_no_zone() {
        for number in ["110", "*21", "+80012345678", "+88123456789", "+"] {
            assert_eq!(zones_of(number), None, "{number}");
        }
    }
}
