//! D-Bus messages as bytes: as much of the wire format as asking for a scope takes.
//!
//! ```text
//! 'l' type flags 1 | body length | serial | header fields a(yv), padded to 8 | body
//! ```
//!
//! Everything is little-endian and aligned to its size from the message's beginning. See the D-Bus specification,
//! "Message Protocol".

use crate::error::{Error, Kind, Result};

/// The longest message that is accepted; systemd's answers have some hundred bytes.
const LONGEST: usize = 1 << 20;

/// The part of a message before the header fields' content.
pub(super) const FIXED: usize = 16;

/// A value of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// `b`
    Bool(bool),
    /// `s`
    String(String),
    /// `t`
    U64(u64),
    /// `au`
    U32s(Vec<u32>),
}

/// Bytes in the making.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    fn u32(&mut self, value: u32) {
        self.align(4);
        self.0.extend(value.to_le_bytes());
    }

    /// `s` and `o`.
    pub(super) fn string(&mut self, text: &str) {
        self.u32(text.len() as u32);
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }

    fn signature(&mut self, text: &str) {
        self.0.push(text.len() as u8);
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }

    /// An array, whose elements are aligned to `align`.
    pub(super) fn array(&mut self, align: usize, elements: impl FnOnce(&mut Self)) {
        self.u32(0);
        let length_at = self.0.len() - 4;
        self.align(align);
        let start = self.0.len();
        elements(self);
        let length = (self.0.len() - start) as u32;
        self.0[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }

    /// `(sv)`
    pub(super) fn property(&mut self, name: &str, value: &Value) {
        self.align(8);
        self.string(name);
        match value {
            Value::Bool(value) => {
                self.signature("b");
                self.u32(u32::from(*value));
            }
            Value::String(text) => {
                self.signature("s");
                self.string(text);
            }
            Value::U64(value) => {
                self.signature("t");
                self.align(8);
                self.0.extend(value.to_le_bytes());
            }
            Value::U32s(values) => {
                self.signature("au");
                self.array(4, |array| values.iter().for_each(|value| array.u32(*value)));
            }
        }
    }

    /// The bytes.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Whom a call is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Callee<'a> {
    /// The peer's name.
    pub(super) destination: &'a str,
    /// The object.
    pub(super) path: &'a str,
    /// The interface.
    pub(super) interface: &'a str,
    /// The method.
    pub(super) member: &'a str,
}

/// A method call, as it goes over the socket. `body` is of the type `signature`.
pub(super) fn call(serial: u32, callee: Callee<'_>, signature: &str, body: &[u8]) -> Vec<u8> {
    const METHOD_CALL: u8 = 1;
    let mut message = Writer(vec![b'l', METHOD_CALL, 0, 1]);
    message.u32(body.len() as u32);
    message.u32(serial);
    message.array(8, |fields| {
        let mut field = |code: u8, kind: &str, text: &str| {
            fields.align(8);
            fields.0.push(code);
            fields.signature(kind);
            if kind == "g" { fields.signature(text) } else { fields.string(text) }
        };
        field(1, "o", callee.path);
        field(2, "s", callee.interface);
        field(3, "s", callee.member);
        field(6, "s", callee.destination);
        if !signature.is_empty() {
            field(8, "g", signature);
        }
    });
    message.align(8);
    message.0.extend(body);
    message.0
}

/// What is asked of a message that came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// 2 an answer, 3 an error, 4 a signal.
    pub(super) kind: u8,
    /// The serial number of the call that this answers.
    pub(super) reply_to: u32,
    /// A signal's name.
    pub(super) member: String,
    /// An error's name.
    pub(super) error: String,
    body: Vec<u8>,
}

impl Message {
    /// An answer.
    pub(super) const RETURN: u8 = 2;
    /// An error.
    pub(super) const ERROR: u8 = 3;
    /// A signal.
    pub(super) const SIGNAL: u8 = 4;

    /// How long the message is whose first [`FIXED`] bytes these are.
    pub(super) fn length(fixed: &[u8; FIXED]) -> Result<usize> {
        let mut reader = Reader { bytes: fixed, at: 4 };
        let (body, _serial, fields) = (reader.length()?, reader.u32()?, reader.length()?);
        let length = (FIXED + fields).next_multiple_of(8) + body;
        if fixed[0] != b'l' || fixed[3] != 1 || length > LONGEST {
            return Err(nonsense());
        }
        Ok(length)
    }

    /// Reads a whole message.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self> {
        let fixed = bytes.first_chunk::<FIXED>().ok_or_else(nonsense)?;
        if Self::length(fixed)? != bytes.len() {
            return Err(nonsense());
        }
        let mut reader = Reader { bytes, at: FIXED - 4 };
        let end = FIXED + reader.length()?;
        let mut message = Self { kind: bytes[1], ..Self::default() };
        while reader.at < end {
            reader.align(8);
            let code = reader.byte()?;
            let kind = reader.signature()?;
            match (code, kind.as_str()) {
                (3, "s") => message.member = reader.string()?,
                (4, "s") => message.error = reader.string()?,
                (5, "u") => message.reply_to = reader.u32()?,
                (_, "s" | "o") => drop(reader.string()?),
                (_, "g") => drop(reader.signature()?),
                (_, "u") => drop(reader.u32()?),
                _ => return Err(nonsense()),
            }
        }
        message.body = bytes.get(end.next_multiple_of(8)..).unwrap_or_default().to_vec();
        Ok(message)
    }

    /// The body's first string or object path: an answer's job, an error's text.
    pub(super) fn text(&self) -> Result<String> {
        Reader { bytes: &self.body, at: 0 }.string()
    }

    /// What JobRemoved tells, `uoss`: the job's object and its result.
    pub(super) fn job_removed(&self) -> Result<(String, String)> {
        let mut reader = Reader { bytes: &self.body, at: 0 };
        reader.u32()?;
        let job = reader.string()?;
        reader.string()?;
        Ok((job, reader.string()?))
    }
}

/// A place in bytes that a peer sent: what does not fit is an error.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn align(&mut self, to: usize) {
        self.at = self.at.next_multiple_of(to);
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(length).ok_or_else(nonsense)?;
        let taken = self.bytes.get(self.at..end).ok_or_else(nonsense)?;
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Result<u32> {
        self.align(4);
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A length that can be that of something in a message.
    fn length(&mut self) -> Result<usize> {
        let length = self.u32()? as usize;
        if length > LONGEST { Err(nonsense()) } else { Ok(length) }
    }

    fn string(&mut self) -> Result<String> {
        let length = self.length()?;
        let text = self.take(length)?;
        self.take(1)?;
        String::from_utf8(text.to_vec()).map_err(|_| nonsense())
    }

    fn signature(&mut self) -> Result<String> {
        let length = self.byte()?;
        let text = self.take(usize::from(length))?;
        self.take(1)?;
        String::from_utf8(text.to_vec()).map_err(|_| nonsense())
    }
}

fn nonsense() -> Error {
    Error::new(Kind::Invalid, "the D-Bus peer sent what is no message")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_call_looks_as_the_specification_has_it() {
        let callee = Callee { destination: "d.d", path: "/o", interface: "i.i", member: "M" };
        let mut body = Writer::default();
        body.string("x");
        let bytes = call(7, callee, "s", &body.into_bytes());
        let expected: &[u8] = b"l\x01\x00\x01\x06\0\0\0\x07\0\0\0\x47\0\0\0\
            \x01\x01o\0\x02\0\0\0/o\0\0\0\0\0\0\
            \x02\x01s\0\x03\0\0\0i.i\0\0\0\0\0\
            \x03\x01s\0\x01\0\0\0M\0\0\0\0\0\0\0\
            \x06\x01s\0\x03\0\0\0d.d\0\0\0\0\0\
            \x08\x01g\0\x01s\0\0\
            \x01\0\0\0x\0";
        assert_eq!(bytes, expected);
        assert_eq!(Message::length(bytes.first_chunk().unwrap()).unwrap(), bytes.len());
        let message = Message::parse(&bytes).unwrap();
        assert_eq!((message.member.as_str(), message.text().unwrap().as_str()), ("M", "x"));
    }

    #[test]
    fn properties_are_aligned_from_the_start() {
        let mut body = Writer::default();
        body.array(8, |array| {
            array.property("A", &Value::Bool(true));
            array.property("B", &Value::U64(u64::MAX));
            array.property("P", &Value::U32s(vec![1, 2]));
            array.property("S", &Value::String("x".into()));
        });
        let expected: &[u8] = b"\x52\0\0\0\0\0\0\0\
            \x01\0\0\0A\0\x01b\0\0\0\0\x01\0\0\0\
            \x01\0\0\0B\0\x01t\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\
            \x01\0\0\0P\0\x02au\0\0\0\x08\0\0\0\x01\0\0\0\x02\0\0\0\
            \x01\0\0\0S\0\x01s\0\0\0\0\x01\0\0\0x\0";
        let bytes = body.into_bytes();
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_signal_is_read() {
        let mut body = Writer::default();
        body.u32(5);
        body.string("/job/5");
        body.string("x.scope");
        body.string("done");
        let callee = Callee { destination: "d", path: "/o", interface: "i", member: "JobRemoved" };
        let message = Message::parse(&call(1, callee, "uoss", &body.into_bytes())).unwrap();
        assert_eq!(message.job_removed().unwrap(), ("/job/5".to_owned(), "done".to_owned()));
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
            let _ = Message::parse(&bytes);
            let callee = Callee { destination: "d", path: "/o", interface: "i", member: "M" };
            let mut whole = call(1, callee, "s", &bytes);
            whole.truncate(cut);
            let _ = Message::parse(&whole);
            let mut changed = call(1, callee, "s", &[]);
            for (at, byte) in bytes.iter().enumerate().take(changed.len()) {
                changed[at] ^= byte & 0x11;
            }
            if let Ok(message) = Message::parse(&changed) {
                let _ = (message.text(), message.job_removed());
            }
        }
    }
}
