//! A value of any type that serde reads, for tests of formats: every number, text and flag in it is made of the name of its field,
//! so that a field that is added, taken away, renamed, or moved among others of its type makes other bytes.

use std::fmt;

use serde::de::value::U32Deserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

/// Returns values that show together every variant of every enum, an option and a list with and without anything.
pub(super) fn values<T: for<'a> Deserialize<'a>>() -> Vec<T> {
    let (mut all, mut rounds) = (Vec::new(), 2);
    while all.len() < rounds {
        let mut source = Source { round: all.len(), name: "", depth: 0, variants_max: 0 };
        all.push(T::deserialize(&mut source).expect("a type that serde reads without looking ahead"));
        rounds = rounds.max(source.variants_max);
    }
    all
}

/// Enums within each other that are no type within itself.
const DEPTH_MAX: usize = 16;

/// Gives whatever is asked for.
struct Source {
    round: usize,
    /// Of the field that is asked for.
    name: &'static str,
    /// Enums that what is asked for lies in.
    depth: usize,
    /// Most variants of an enum so far.
    variants_max: usize,
}

/// Something a source cannot give.
#[derive(Debug)]
struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl Source {
    fn number(&self) -> u64 {
        let hash = blake3::hash(format!("{} {}", self.round, self.name).as_bytes());
        u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash is longer"))
    }

    /// Whether lists, options and flags hold something this time.
    fn is_full(&self) -> bool {
        self.round != 1
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $kind:ty),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
            visitor.$visit(self.number() as $kind)
        })*
    };
}

impl<'de> de::Deserializer<'de> for &mut Source {
    type Error = Refused;

    numbers! {
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64, deserialize_i128 visit_i128 i128, deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_bool(self.is_full())
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_f64((self.number() % 1_000_000) as f64 / 64.0)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_str(self.name)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.is_full() { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if name == "AsText" {
            // Text that is a value, whatever the value is.
            self.name = "15m";
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let left = if self.is_full() { 2 } else { 0 };
        visitor.visit_seq(Parts { source: self, names: &[], left })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_seq(Parts { source: self, names: &[], left })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        left: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_seq(Parts { source: self, names: &[], left })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        let left = usize::from(self.is_full());
        visitor.visit_map(Parts { source: self, names: &[], left })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_seq(Parts { source: self, names, left: names.len() })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.variants_max = self.variants_max.max(variants.len());
        // A type within itself ends by another variant.
        let index = (self.round + self.depth / DEPTH_MAX) % variants.len();
        self.name = variants[index];
        self.depth += 1;
        let value = visitor.visit_enum(Variant { source: self, index: index as u32 });
        self.depth -= 1;
        value
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Refused> {
        Err(Refused(format!("{}: a type that is not known before its bytes are read", self.name)))
    }

    serde::forward_to_deserialize_any! { f32 char str bytes byte_buf unit_struct identifier ignored_any }
}

/// The parts of a struct by their names, or so many without any.
struct Parts<'a> {
    source: &'a mut Source,
    names: &'static [&'static str],
    left: usize,
}

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        if let Some(name) = self.names.len().checked_sub(self.left).map(|at| self.names[at]) {
            self.source.name = name;
        }
        self.left = left;
        seed.deserialize(&mut *self.source).map(Some)
    }
}

impl<'de> MapAccess<'de> for Parts<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        seed.deserialize(&mut *self.source)
    }
}

/// A variant of an enum.
struct Variant<'a> {
    source: &'a mut Source,
    index: u32,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Refused;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Refused> {
        let index: U32Deserializer<Refused> = self.index.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Refused;

    fn unit_variant(self) -> Result<(), Refused> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refused> {
        seed.deserialize(self.source)
    }

    fn tuple_variant<V: Visitor<'de>>(self, left: usize, visitor: V) -> Result<V::Value, Refused> {
        visitor.visit_seq(Parts { source: self.source, names: &[], left })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        visitor.visit_seq(Parts { source: self.source, names, left: names.len() })
    }
}
