//! What the marked content of a page says, in reading order.

use krilla::geom::Rect;
use krilla::tagging::{BBox, Identifier, Tag, TagGroup};

use crate::page::reading::{self, Spot};

/// The content of one page as it was drawn.
#[derive(Default)]
pub struct Structure {
    items: Vec<(Spot, Item)>,
    /// Everything so far is text with a known printed line.
    unlined: bool,
}

struct Item {
    /// The printed line; 0 when unknown.
    line: u32,
    identifier: Identifier,
    /// For figures: what it shows, and where.
    figure: Option<(String, Option<BBox>)>,
}

impl Structure {
    /// Text of a printed line (0: unknown).
    pub fn text(&mut self, spot: Spot, line: u32, identifier: Identifier) {
        self.unlined |= line == 0;
        self.items.push((spot, Item { line, identifier, figure: None }));
    }

    /// A figure on the page of this number, and what it shows.
    pub fn figure(&mut self, spot: Spot, identifier: Identifier, alt: String, (page, bounds): (usize, Option<Rect>)) {
        self.unlined = true;
        let bounds = bounds.map(|rect| BBox { page_idx: page, rect });
        self.items.push((spot, Item { line: 0, identifier, figure: Some((alt, bounds)) }));
    }

    /// The structure element of the page.
    pub fn part(self) -> TagGroup {
        let mut part = TagGroup::new(Tag::Part);
        let lines = if self.unlined { by_place(self.items) } else { by_line(self.items) };
        for line in lines {
            let mut paragraph = TagGroup::new(Tag::P);
            let mut empty = true;
            for item in line {
                match item.figure {
                    None => {
                        paragraph.push(item.identifier);
                        empty = false;
                    }
                    Some((alt, bounds)) => {
                        if !std::mem::replace(&mut empty, true) {
                            part.push(std::mem::replace(&mut paragraph, TagGroup::new(Tag::P)));
                        }
                        let mut figure = TagGroup::new(Tag::Figure(Some(alt)).with_bbox(bounds));
                        figure.push(item.identifier);
                        part.push(figure);
                    }
                }
            }
            if !empty {
                part.push(paragraph);
            }
        }
        part
    }
}

fn by_place(items: Vec<(Spot, Item)>) -> Vec<Vec<Item>> {
    let rows = reading::rows(items);
    rows.into_iter().map(|row| row.into_iter().map(|(_, item)| item).collect()).collect()
}

/// Lines in the order in which they were printed first.
fn by_line(items: Vec<(Spot, Item)>) -> Vec<Vec<Item>> {
    let mut lines: Vec<Vec<Item>> = Vec::new();
    for (_, item) in items {
        match lines.iter_mut().rfind(|line| line.first().is_some_and(|first| first.line == item.line)) {
            Some(line) => line.push(item),
            None => lines.push(vec![item]),
        }
    }
    lines
}
