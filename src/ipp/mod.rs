//! The bytes of IPP (RFC 8010, section 3): messages read and written, requests and answers alike.
//!
//! Those who print to greenbar (`capture/ipp`) and the printers that it prints to (`distribute/channel/ipp`) speak it.

/// Longest head of a message: version, code and attributes.
const MOST_HEAD: usize = 128 << 10;
/// Attributes and values of one message.
const MOST_VALUES: usize = 2_000;
/// Longest text that is written (RFC 8011, section 5.1.2: text is at most 1023 octets).
const MOST_TEXT: usize = 1_023;
/// Version, operation or status, and number of the request.
const FIXED: usize = 8;

/// Tags of groups.
pub const OPERATION: u8 = 0x01;
/// A job.
pub const JOB: u8 = 0x02;
const END: u8 = 0x03;
/// The printer.
pub const PRINTER: u8 = 0x04;
/// A subscription (RFC 3995).
pub const SUBSCRIPTION: u8 = 0x06;
/// An event (RFC 3995).
pub const EVENT: u8 = 0x07;
/// A document of a job (PWG 5100.5).
pub const DOCUMENT: u8 = 0x09;

const NO_VALUE: u8 = 0x13;
const ADMIN_DEFINE: u8 = 0x17;
const INTEGER: u8 = 0x21;
const BOOLEAN: u8 = 0x22;
const ENUM: u8 = 0x23;
const OCTETS: u8 = 0x30;
const RESOLUTION: u8 = 0x32;
const RANGE: u8 = 0x33;
const BEGIN_COLLECTION: u8 = 0x34;
const TEXT_WITH_LANGUAGE: u8 = 0x35;
const NAME_WITH_LANGUAGE: u8 = 0x36;
const END_COLLECTION: u8 = 0x37;
const TEXT: u8 = 0x41;
const NAME: u8 = 0x42;
const KEYWORD: u8 = 0x44;
const URI: u8 = 0x45;
const CHARSET: u8 = 0x47;
const LANGUAGE: u8 = 0x48;
const MEDIA_TYPE: u8 = 0x49;
const MEMBER: u8 = 0x4A;

/// A value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// There is none (yet).
    None,
    /// A number.
    Integer(i32),
    /// Yes or no.
    Boolean(bool),
    /// A number that stands for something.
    Enum(i32),
    /// From, to.
    Range(i32, i32),
    /// Dots per inch, both ways.
    Dpi(i32),
    /// Bytes.
    Octets(Vec<u8>),
    /// Administrators choose it (RFC 3380).
    AdminDefine,
    /// Text of a kind, told by its tag.
    Text(u8, String),
    /// Members with their values. What came in one is not kept.
    Collection(Vec<(&'static str, Value)>),
    /// Anything else.
    Other,
}

impl Value {
    /// Text for people.
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(TEXT, text.into())
    }

    /// A name.
    pub fn name(name: impl Into<String>) -> Value {
        Value::Text(NAME, name.into())
    }

    /// A word of the standard.
    pub fn keyword(word: impl Into<String>) -> Value {
        Value::Text(KEYWORD, word.into())
    }

    /// An address.
    pub fn uri(uri: impl Into<String>) -> Value {
        Value::Text(URI, uri.into())
    }

    /// A character set.
    pub fn charset(name: &str) -> Value {
        Value::Text(CHARSET, name.into())
    }

    /// A language.
    pub fn language(name: &str) -> Value {
        Value::Text(LANGUAGE, name.into())
    }

    /// A media type.
    pub fn media_type(name: &str) -> Value {
        Value::Text(MEDIA_TYPE, name.into())
    }

    /// The text of a text, the number of a number.
    pub fn shown(&self) -> Option<String> {
        match self {
            Value::Text(_, text) => Some(text.clone()),
            Value::Integer(number) | Value::Enum(number) => Some(number.to_string()),
            Value::Boolean(yes) => Some(yes.to_string()),
            Value::Range(from, to) => Some(format!("{from}-{to}")),
            Value::Dpi(dpi) => Some(format!("{dpi}dpi")),
            Value::None | Value::Octets(_) | Value::AdminDefine | Value::Collection(_) | Value::Other => None,
        }
    }
}

/// An attribute of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The group that it stands in.
    pub group: u8,
    /// Its name.
    pub name: String,
    /// Its values, at least one.
    pub values: Vec<Value>,
}

/// A request or an answer, without the document behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// Major and minor version.
    pub version: (u8, u8),
    /// What is asked for; in an answer, the status.
    pub code: u16,
    /// The sender's number for it.
    pub id: u32,
    /// Attributes in their order.
    pub attributes: Vec<Attribute>,
    /// The groups: the tag, and which attribute is its first.
    pub starts: Vec<(u8, usize)>,
}

/// Why bytes are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The attributes have no end within the limit.
    #[error("the attributes are longer than {MOST_HEAD} bytes, or their lengths are wrong")]
    TooLong,
    /// The message ends inside its attributes.
    #[error("the message ends inside its attributes")]
    Short,
    /// A value has not the length of its kind, or stands behind no attribute.
    #[error("an attribute is malformed")]
    Attribute,
    /// Too many values.
    #[error("the message has more than {MOST_VALUES} values")]
    TooMany,
}

/// The head of a message, gathered piece by piece. Each byte is looked at once, however small the pieces are.
#[derive(Debug, Default)]
pub struct Head {
    bytes: Vec<u8>,
    at: usize,
}

impl Head {
    /// Adds a piece. At the end of the head: how many bytes of the piece belonged to it; the others are the document's.
    pub fn add(&mut self, piece: &[u8]) -> Result<Option<usize>, Malformed> {
        let room = (MOST_HEAD - self.bytes.len()).min(piece.len());
        let before = self.bytes.len();
        self.bytes.extend_from_slice(piece.get(..room).unwrap_or_default());
        self.at = self.at.max(FIXED);
        while let Some(tag) = self.bytes.get(self.at).copied() {
            if tag == END {
                let end = self.at + 1;
                self.bytes.truncate(end);
                return Ok(Some(end - before));
            }
            if tag < 0x10 {
                self.at += 1;
                continue;
            }
            let Some((_, _, next)) = field(&self.bytes, self.at + 1) else { break };
            self.at = next;
        }
        if self.bytes.len() >= MOST_HEAD { Err(Malformed::TooLong) } else { Ok(None) }
    }

    /// Version, code and number of what came so far, to be able to answer at all.
    pub fn fixed(&self) -> Option<Message> {
        let (fixed, _) = self.bytes.split_first_chunk::<FIXED>()?;
        let [major, minor, op_high, op_low, id @ ..] = *fixed;
        let (version, code) = ((major, minor), u16::from_be_bytes([op_high, op_low]));
        Some(Message { version, code, id: u32::from_be_bytes(id), ..Message::default() })
    }

    /// The message, once [`Head::add`] told its end.
    pub fn message(&self) -> Result<Message, Malformed> {
        let mut message = self.fixed().ok_or(Malformed::Short)?;
        let (mut at, mut group, mut depth, mut values) = (FIXED, 0, 0_usize, 0_usize);
        while let Some(tag) = self.bytes.get(at).copied() {
            if tag < 0x10 {
                // A group's start ends whatever collection was left open.
                (group, depth, at) = (tag, 0, at + 1);
                message.starts.push((tag, message.attributes.len()));
                continue;
            }
            let (name, value, next) = field(&self.bytes, at + 1).ok_or(Malformed::Short)?;
            at = next;
            values += 1;
            if values > MOST_VALUES {
                return Err(Malformed::TooMany);
            }
            if depth > 0 {
                match tag {
                    BEGIN_COLLECTION => depth += 1,
                    END_COLLECTION => depth -= 1,
                    _ => {}
                }
                continue;
            }
            depth = usize::from(tag == BEGIN_COLLECTION);
            let value = read(tag, value)?;
            if name.is_empty() {
                let last = message.attributes.last_mut().filter(|last| last.group == group);
                last.ok_or(Malformed::Attribute)?.values.push(value);
            } else {
                let name = String::from_utf8_lossy(name).into_owned();
                message.attributes.push(Attribute { group, name, values: vec![value] });
            }
        }
        Ok(message)
    }
}

/// Name and value behind a tag, and where the next one begins.
fn field(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let (name, at) = counted(bytes, at)?;
    let (value, at) = counted(bytes, at)?;
    Some((name, value, at))
}

/// Two bytes of length and what they count.
fn counted(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let length: [u8; 2] = bytes.get(at..at + 2)?.try_into().ok()?;
    let end = at + 2 + usize::from(u16::from_be_bytes(length));
    Some((bytes.get(at + 2..end)?, end))
}

fn read(tag: u8, bytes: &[u8]) -> Result<Value, Malformed> {
    let number = |bytes: &[u8]| bytes.try_into().map(i32::from_be_bytes).map_err(|_| Malformed::Attribute);
    Ok(match tag {
        INTEGER => Value::Integer(number(bytes)?),
        ENUM => Value::Enum(number(bytes)?),
        BOOLEAN => match bytes {
            [byte] => Value::Boolean(*byte != 0),
            _ => return Err(Malformed::Attribute),
        },
        OCTETS => Value::Octets(bytes.to_vec()),
        RANGE => match bytes.split_at_checked(4) {
            Some((from, to)) => Value::Range(number(from)?, number(to)?),
            None => return Err(Malformed::Attribute),
        },
        RESOLUTION => match bytes.split_at_checked(4) {
            Some((across, _)) => Value::Dpi(number(across)?),
            None => return Err(Malformed::Attribute),
        },
        TEXT_WITH_LANGUAGE | NAME_WITH_LANGUAGE => {
            let (_, text, _) = field(bytes, 0).ok_or(Malformed::Attribute)?;
            let plain = if tag == TEXT_WITH_LANGUAGE { TEXT } else { NAME };
            Value::Text(plain, String::from_utf8_lossy(text).into_owned())
        }
        0x40..=0x4F => Value::Text(tag, String::from_utf8_lossy(bytes).into_owned()),
        0x10..=0x1F => Value::None,
        BEGIN_COLLECTION => Value::Collection(Vec::new()),
        _ => Value::Other,
    })
}

impl Message {
    /// Reads a whole message that nothing comes behind, or nothing that matters.
    pub fn read(bytes: &[u8]) -> Result<Message, Malformed> {
        let mut head = Head::default();
        head.add(bytes)?.ok_or(Malformed::Short)?;
        head.message()
    }

    /// The first value of an attribute.
    pub fn first(&self, name: &str) -> Option<&Value> {
        self.attributes.iter().find(|attribute| attribute.name == name)?.values.first()
    }

    /// The text of an attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.first(name) {
            Some(Value::Text(_, text)) => Some(text),
            _ => None,
        }
    }

    /// The number of an attribute.
    pub fn integer(&self, name: &str) -> Option<i32> {
        match self.first(name) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// All numbers of an attribute.
    pub fn integers(&self, name: &str) -> Vec<i32> {
        let named = self.attributes.iter().filter(|attribute| attribute.name == name);
        let number = |value: &Value| if let Value::Integer(number) = value { Some(*number) } else { None };
        named.flat_map(|attribute| attribute.values.iter().filter_map(number)).collect()
    }

    /// The attributes that stand in groups of this tag.
    pub fn group(&self, tag: u8) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(move |attribute| attribute.group == tag)
    }

    /// The groups of this tag, each with its attributes.
    pub fn groups(&self, tag: u8) -> impl Iterator<Item = &[Attribute]> {
        let ends = self.starts.iter().skip(1).map(|(_, first)| *first).chain([self.attributes.len()]);
        let all = self.starts.iter().zip(ends).filter(move |((own, _), _)| *own == tag);
        all.map(|((_, first), end)| self.attributes.get(*first..end).unwrap_or_default())
    }

    /// The number of an attribute, also one that stands for something.
    pub fn number(&self, name: &str) -> Option<i32> {
        match self.first(name) {
            Some(Value::Integer(number) | Value::Enum(number)) => Some(*number),
            _ => None,
        }
    }

    /// The yes or no of an attribute.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.first(name) {
            Some(Value::Boolean(yes)) => Some(*yes),
            _ => None,
        }
    }

    /// All texts of an attribute.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let named = self.attributes.iter().filter(|attribute| attribute.name == name);
        named.flat_map(|attribute| attribute.values.iter().filter_map(Value::shown)).collect()
    }
}

/// A message being written.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Begins a message: its version, what is asked for or answered, the number of the request, and in which characters and
    /// language it speaks.
    pub fn new(version: [u8; 2], code: u16, id: u32) -> Writer {
        let mut writer = Writer::bare(version, code, id);
        writer.group(OPERATION);
        writer.add("attributes-charset", &[Value::charset("utf-8")]);
        writer.add("attributes-natural-language", &[Value::language("en")]);
        writer
    }

    fn bare(version: [u8; 2], code: u16, id: u32) -> Writer {
        let mut bytes = Vec::with_capacity(1 << 10);
        bytes.extend_from_slice(&version);
        bytes.extend_from_slice(&code.to_be_bytes());
        bytes.extend_from_slice(&id.to_be_bytes());
        Writer { bytes }
    }

    /// Begins a group.
    pub fn group(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    /// Adds an attribute; without values it is left out.
    pub fn add(&mut self, name: &str, values: &[Value]) {
        for (at, value) in values.iter().enumerate() {
            self.value(if at == 0 { name } else { "" }, value);
        }
    }

    fn value(&mut self, name: &str, value: &Value) {
        match value {
            Value::None | Value::Other => self.field(NO_VALUE, name, &[]),
            Value::AdminDefine => self.field(ADMIN_DEFINE, name, &[]),
            Value::Octets(bytes) => {
                self.field(OCTETS, name, bytes.get(..MOST_TEXT.min(bytes.len())).unwrap_or_default())
            }
            Value::Integer(number) => self.field(INTEGER, name, &number.to_be_bytes()),
            Value::Enum(number) => self.field(ENUM, name, &number.to_be_bytes()),
            Value::Boolean(yes) => self.field(BOOLEAN, name, &[u8::from(*yes)]),
            Value::Range(from, to) => self.field(RANGE, name, &[from.to_be_bytes(), to.to_be_bytes()].concat()),
            Value::Dpi(dpi) => {
                let dpi = dpi.to_be_bytes();
                self.field(RESOLUTION, name, &[&dpi[..], &dpi[..], &[3]].concat());
            }
            Value::Text(tag, text) => {
                let end = (0..=text.len().min(MOST_TEXT)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                self.field(*tag, name, text.get(..end).unwrap_or_default().as_bytes());
            }
            Value::Collection(members) => {
                self.field(BEGIN_COLLECTION, name, &[]);
                for (member, value) in members {
                    self.field(MEMBER, "", member.as_bytes());
                    self.value("", value);
                }
                self.field(END_COLLECTION, "", &[]);
            }
        }
    }

    fn field(&mut self, tag: u8, name: &str, value: &[u8]) {
        self.bytes.push(tag);
        for part in [name.as_bytes(), value] {
            let length = u16::try_from(part.len()).expect("names are constants and values at most 1023 bytes");
            self.bytes.extend_from_slice(&length.to_be_bytes());
            self.bytes.extend_from_slice(part);
        }
    }

    /// Its bytes.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(END);
        self.bytes
    }
}

#[cfg(test)]
mod tests;
