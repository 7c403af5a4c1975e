//! XML as SHIP speaks it: elements with text. Reading has limits; a document type is refused, and with it every entity of somebody's own.
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use std::fmt::{self, Write};

/// How deep elements may lie in each other. The messages that are known have eight levels.
const DEEPEST: usize = 24;
/// How many elements an answer may have.
const MOST_ELEMENTS: usize = 1_000_000;

/// An element: its name, its text without the blanks around it, the elements in it. `Debug` shows its name only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name. Names of this protocol contain dots.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The elements in it.
    pub children: Vec<Self>,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({}, {} children)", self.name, self.children.len())
    }
}

/// Why a text is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlError {
    /// It is no XML.
    Malformed,
    /// It has a document type.
    DocumentType,
    /// It is too deep, or has too many elements.
    TooMuch,
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "it is no XML",
            Self::DocumentType => "it has a document type",
            Self::TooMuch => "it has too many elements",
        })
    }
}
impl std::error::Error for XmlError {}

impl Node {
    /// An empty element.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
    /// With an element more that has this text.
    #[must_use]
    pub fn with(mut self, name: &str, text: impl Into<String>) -> Self {
        self.children.push(Self { text: text.into(), ..Self::new(name) });
        self
    }
    /// With an element more.
    #[must_use]
    pub fn with_node(mut self, node: Self) -> Self {
        self.children.push(node);
        self
    }
    /// The first element of this name in it.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.name == name)
    }
    /// All elements of this name in it.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |c| c.name == name)
    }
    /// The text of the first element of this name; empty when there is none.
    #[must_use]
    pub fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |c| c.text.as_str())
    }
    /// Whether the first element of this name says 1.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.text_of(name) == "1"
    }

    /// As it is sent, in UTF-8. Characters that XML has no place for become question marks.
    #[must_use]
    pub fn document(&self) -> String {
        let mut out = r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        // Writing to a string cannot fail.
        let _ = write!(out, "<{}>", self.name);
        let text: String = self.text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        out.push_str(&escape(text.as_str()));
        for child in &self.children {
            child.write(out);
        }
        let _ = write!(out, "</{}>", self.name);
    }

    /// An element as it begins. The reader takes anything for a name; what is none would be written as something else.
    fn read(name: &str) -> Result<Self, XmlError> {
        let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let is_name = begins && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
        if is_name { Ok(Self::new(name)) } else { Err(XmlError::Malformed) }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`XmlError`].
    pub fn parse(text: &str) -> Result<Self, XmlError> {
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Self> = Vec::new();
        let mut count = 0;
        loop {
            match reader.read_event().map_err(|_| XmlError::Malformed)? {
                Event::Start(e) => {
                    count += 1;
                    if open.len() >= DEEPEST || count > MOST_ELEMENTS {
                        return Err(XmlError::TooMuch);
                    }
                    open.push(Self::read(e.name().as_ref())?);
                }
                Event::Empty(e) => {
                    count += 1;
                    if count > MOST_ELEMENTS {
                        return Err(XmlError::TooMuch);
                    }
                    let node = Self::read(e.name().as_ref())?;
                    match open.last_mut() {
                        Some(parent) => parent.children.push(node),
                        None => return rest(&mut reader).map(|()| node),
                    }
                }
                Event::End(_) => {
                    let mut node = open.pop().ok_or(XmlError::Malformed)?;
                    node.text = node.text.trim().to_owned();
                    match open.last_mut() {
                        Some(parent) => parent.children.push(node),
                        None => return rest(&mut reader).map(|()| node),
                    }
                }
                Event::Text(e) => add(&mut open, &e.xml10_content())?,
                Event::CData(e) => add(&mut open, &e.xml10_content())?,
                Event::GeneralRef(e) => {
                    let resolved = match e.resolve_char_ref().map_err(|_| XmlError::Malformed)? {
                        Some(c) => c,
                        None => match &*e {
                            "amp" => '&',
                            "lt" => '<',
                            "gt" => '>',
                            "quot" => '"',
                            "apos" => '\'',
                            // Nobody has declared another.
                            _ => return Err(XmlError::Malformed),
                        },
                    };
                    add(&mut open, resolved.encode_utf8(&mut [0; 4]))?;
                }
                Event::DocType(_) => return Err(XmlError::DocumentType),
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => return Err(XmlError::Malformed),
            }
        }
    }
}

fn add(open: &mut [Node], text: &str) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(node) => node.text.push_str(text),
        None if text.trim_start_matches('\u{feff}').trim().is_empty() => {}
        None => return Err(XmlError::Malformed),
    }
    Ok(())
}

/// Nothing but blanks and comments may follow.
fn rest(reader: &mut Reader<&[u8]>) -> Result<(), XmlError> {
    loop {
        match reader.read_event().map_err(|_| XmlError::Malformed)? {
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Text(e) if e.trim().is_empty() => {}
            _ => return Err(XmlError::Malformed),
        }
    }
}
