//! Pages for tests.

use super::{Advances, Color, Element, Face, Lu, Page, TextRun};

/// Cell and pitch of 10 characters and 6 lines per inch.
const CELL: i32 = Lu::PER_INCH / 10;
const PITCH: i32 = Lu::PER_INCH / 6;

/// Left edge of 132 columns in the middle of the paper.
const LEFT: i32 = (Lu::PER_INCH * 1475 / 100 - 132 * CELL) / 2;

/// A run at a column and row (from 0), two cells for each wide character.
pub fn run(text: &str, column: i32, row: i32) -> TextRun {
    let cell = |c: char| Lu(if u32::from(c) >= 0x2E80 { 2 * CELL } else { CELL });
    let wide = text.chars().any(|c| cell(c) != Lu(CELL));
    let advances = if wide { Advances::Each(text.chars().map(cell).collect()) } else { Advances::Uniform(Lu(CELL)) };
    TextRun {
        x: Lu(LEFT + column * CELL),
        y: Lu(Lu::PER_INCH / 2 + (row + 1) * PITCH),
        turns: 0,
        face: Face::default(),
        size: Lu::from_points(12.0),
        color: Color::BLACK,
        text: text.into(),
        advances,
        embedded: None,
        stretch: 1000,
        underline: false,
        line: row as u32 + 1,
        shadow: false,
    }
}

/// A page of 132 columns and 66 rows with these lines.
pub fn page(lines: &[&str]) -> Page {
    let elements = lines
        .iter()
        .enumerate()
        .filter(|(_, text)| !text.is_empty())
        .map(|(row, text)| Element::Text(run(text, 0, row as i32)))
        .collect();
    Page { width: Lu(Lu::PER_INCH * 1475 / 100), height: Lu(Lu::PER_INCH * 11), elements }
}

/// A bank statement page with bold, underlined, Chinese and overprinted text.
pub fn statement(number: u32) -> Page {
    let account =
        format!("      ACCOUNT NUMBER:  8618-2565-{:06}       STATEMENT DATE: 03/31/2024", number % 1_000_000);
    let mut lines = vec![
        "      FIRST CASCADE BANK                      STATEMENT OF ACCOUNT          PAGE    1".to_owned(),
        account,
        String::new(),
        "      DATE    DESCRIPTION                                       AMOUNT           BALANCE".to_owned(),
    ];
    for row in 0..40_u32 {
        let (amount, balance) = ((row * 7919 + number * 31) % 90_000, (row * 104_729 + number * 77) % 900_000);
        lines.push(format!(
            "      03/{:02}   POS PURCHASE GREENLEAF GROCERY #{:04}        {:>10}.{:02}        {:>9}.{:02}",
            row % 31 + 1,
            (row * 37 + number) % 9999,
            amount / 100,
            amount % 100,
            balance / 100,
            balance % 100
        ));
    }
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut page = page(&lines);
    let mut bold = run("FIRST CASCADE BANK", 6, 0);
    bold.face.bold = true;
    bold.shadow = true;
    let mut heading = run("DATE    DESCRIPTION", 6, 3);
    heading.underline = true;
    heading.shadow = true;
    page.elements.push(Element::Text(bold));
    page.elements.push(Element::Text(heading));
    page
}
