//! The letter that tells a customer the PIN for the portal, and the sample that shows they can open documents.
//!
//! Greenbar composes them itself, as pages of the page model: what the PDF writer promises for documents (fonts cut down to
//! what is used, tags, PDF/A) holds here too. The address stands where a window envelope (DIN long, ISO 269 DL) shows it. A
//! text needs fonts with its characters; without one there is no letter, rather than one that cannot be read.

use super::composed::Canvas;
use super::font::FontSet;
use crate::fontfile;
use crate::page::{Face, Family};

/// A letter with a PIN.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letter {
    /// Who writes; empty: nobody is named.
    pub sender: String,
    /// Whom to.
    pub name: String,
    /// Where to, line by line.
    pub address: Vec<String>,
    /// The account.
    pub account: String,
    /// The PIN.
    pub pin: String,
    /// The last day of the PIN, as the reader writes it.
    pub until: String,
    /// Address of the portal; empty: not named.
    pub portal: String,
    /// The day of the letter, likewise.
    pub date: String,
    /// In Chinese.
    pub chinese: bool,
}

/// There is no font for the letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the letter has characters for which this machine has no font; install one, or name a folder with it in {}",
    fontfile::FONT_DIR
)]
pub struct NoFont;

/// ISO A4, in points.
const WIDTH: f64 = 595.0;
const HEIGHT: f64 = 842.0;
/// Left edge of the text and of the envelope's window.
const LEFT: f64 = 62.0;
/// Upper edge of the window: 45 mm from the top, and some room.
const WINDOW: f64 = HEIGHT - 145.0;
/// Where the text begins: under the fold.
const TEXT: f64 = HEIGHT - 320.0;
/// From one line to the next.
const LEADING: f64 = 16.0;
/// Lines of an address that the window shows.
const MOST_LINES: usize = 7;

impl Letter {
    /// The letter as PDF.
    pub fn pdf(&self) -> Result<Vec<u8>, NoFont> {
        let mut sheet = Sheet::new();
        self.write(&mut sheet);
        let title = if self.chinese { "密码函" } else { "PIN letter" };
        sheet.pdf(title, &self.sender, self.chinese)
    }

    fn write(&self, sheet: &mut Sheet) {
        sheet.text(LEFT, WINDOW + 14.0, 7.0, false, &self.sender);
        let lines = std::iter::once(&self.name).chain(&self.address).take(MOST_LINES);
        for (line, y) in lines.zip((0_u8..).map(|n| WINDOW - f64::from(n) * 14.0)) {
            sheet.text(LEFT, y, 11.0, false, line);
        }
        sheet.text(WIDTH - LEFT - 80.0, TEXT + 40.0, 10.0, false, &self.date);
        let mut y = TEXT;
        let mut line = |size: f64, bold: bool, text: &str| {
            sheet.text(LEFT, y, size, bold, text);
            y -= LEADING;
        };
        let (account, until, portal) = (&self.account, &self.until, &self.portal);
        if self.chinese {
            line(14.0, true, "您的网上账单密码");
            line(11.0, false, "");
            line(11.0, false, &format!("账户：{account}"));
            line(11.0, false, "请用下面的密码为此账户开通网上账单服务。");
            line(11.0, false, &format!("密码只能使用一次，有效期至 {until}。"));
            if !portal.is_empty() {
                line(11.0, false, &format!("网址：{portal}"));
            }
        } else {
            line(14.0, true, "Your PIN for the customer portal");
            line(11.0, false, "");
            line(11.0, false, &format!("Account: {account}"));
            line(11.0, false, "With this PIN you can open the documents of the account on the internet.");
            line(11.0, false, &format!("It works once, until {until}."));
            if !portal.is_empty() {
                line(11.0, false, &format!("Address: {portal}"));
            }
        }
        line(11.0, false, "");
        line(11.0, false, "");
        let spaced: Vec<String> =
            self.pin.as_bytes().chunks(5).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
        line(20.0, true, &spaced.join("  "));
        line(11.0, false, "");
        line(11.0, false, "");
        let (first, second) = if self.chinese {
            ("请勿将密码告诉任何人，我们的员工也不会向您索取。", "如果您没有申请，请将此函销毁：密码到期后自动失效。")
        } else {
            (
                "Tell nobody this PIN. Nobody of ours will ask you for it.",
                "If you did not ask for it, destroy this letter: the PIN ends by itself.",
            )
        };
        line(9.0, false, first);
        line(9.0, false, second);
    }
}

/// A sample in the form that documents come in, with the code that shows it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The code.
    pub code: String,
    /// In Chinese; without a font for it, in English.
    pub chinese: bool,
}

impl Sample {
    /// The sample as PDF.
    pub fn pdf(&self) -> Result<Vec<u8>, NoFont> {
        let chinese = self.chinese && FontSet::system().has_cjk();
        let mut sheet = Sheet::new();
        let (title, lines) = if chinese {
            ("电子文件样本", ["您能看到这一页，说明您能够打开电子文件。", "请在网页中输入以下代码："])
        } else {
            (
                "Sample of an electronic document",
                [
                    "You can read this page, so you can open documents that come electronically.",
                    "Type this code on the page that you came from:",
                ],
            )
        };
        sheet.text(LEFT, HEIGHT - 110.0, 16.0, true, title);
        for (line, y) in lines.iter().zip([150.0, 170.0]) {
            sheet.text(LEFT, HEIGHT - y, 11.0, false, line);
        }
        sheet.text(LEFT, HEIGHT - 225.0, 28.0, true, &self.code);
        sheet.pdf(if chinese { "样本" } else { "Sample" }, "", chinese)
    }
}

/// One page that is being written on.
struct Sheet(Canvas);

impl Sheet {
    fn new() -> Sheet {
        Sheet(Canvas::new(WIDTH, HEIGHT))
    }

    /// A line of text; `y` from the lower edge, in points.
    fn text(&mut self, x: f64, y: f64, size: f64, bold: bool, text: &str) {
        self.0.text((x, y), Face { family: Family::Sans, bold, italic: false }, size, text);
    }

    fn pdf(self, title: &str, author: &str, chinese: bool) -> Result<Vec<u8>, NoFont> {
        if self.0.lacks_a_font() {
            return Err(NoFont);
        }
        self.0.pdf(title, author, if chinese { "zh-CN" } else { "en" }).map_err(|_| NoFont)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            sender: "Great Lakes Mutual Bank, PO Box 1, Dayton OH".into(),
            name: "Ava Barnes".into(),
            address: vec!["10 Birch St".into(), "Dayton OH 45402".into()],
            account: "410000-1000-0".into(),
            pin: "ABCDE23456".into(),
            until: "2024-07-01".into(),
            portal: "https://bills.example.com/my".into(),
            date: "2024-06-01".into(),
            chinese: false,
        }
    }

    #[test]
    fn the_letter_tells_account_pin_and_last_day() {
        let document = lopdf::Document::load_mem(&letter().pdf().expect("a letter")).expect("a readable PDF");
        let text = document.extract_text(&[1]).expect("text");
        for told in ["Ava Barnes", "10 Birch St", "410000-1000-0", "ABCDE  23456", "2024-07-01", "bills.example.com"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert_eq!(document.get_pages().len(), 1);
    }

    #[test]
    fn a_sample_tells_its_code() {
        let sample = Sample { code: "K7M2QX".into(), chinese: false };
        let document = lopdf::Document::load_mem(&sample.pdf().expect("a sample")).expect("a readable PDF");
        assert!(document.extract_text(&[1]).expect("text").contains("K7M2QX"));
    }

    #[test]
    fn a_chinese_letter_has_its_characters_or_is_refused() {
        let chinese = Letter { name: "周明怡".into(), chinese: true, ..letter() };
        match chinese.pdf() {
            Ok(pdf) => {
                let document = lopdf::Document::load_mem(&pdf).expect("a readable PDF");
                assert_eq!(document.get_pages().len(), 1);
                assert!(pdf.len() < 100_000, "only the characters that are used: {} bytes", pdf.len());
            }
            Err(error) => assert!(error.to_string().contains("font")),
        }
    }
}
