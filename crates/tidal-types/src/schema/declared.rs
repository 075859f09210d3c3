//! What a schema declares beside signal types: attributes and profiles.

use super::{PROFILE_BYTES_MAX, PROFILES_MAX, Schema};
use crate::attribute::ATTRIBUTES_MAX;
use crate::{AttributeDefinition, AttributeId, AttributeType, EntityKind, SchemaError};

impl Schema {
    /// The attribute of that name which entities of a kind have.
    #[must_use]
    pub fn attribute(&self, kind: EntityKind, name: &str) -> Option<&AttributeDefinition> {
        self.attributes_of(kind).find(|attribute| attribute.name() == name)
    }

    /// The attribute with this id.
    #[must_use]
    pub fn attribute_by_id(&self, id: AttributeId) -> Option<&AttributeDefinition> {
        self.attributes.get(usize::from(id.get()))
    }

    /// Every attribute, in the order of their ids.
    #[must_use]
    pub fn attributes(&self) -> &[AttributeDefinition] {
        &self.attributes
    }

    /// The attributes that entities of a kind have.
    pub fn attributes_of(&self, kind: EntityKind) -> impl Iterator<Item = &AttributeDefinition> {
        self.attributes.iter().filter(move |attribute| attribute.kind() == kind)
    }

    /// The text of a profile: a query that has a name. What it means is the database's.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&str> {
        self.profiles.get(name).map(AsRef::as_ref)
    }

    /// Every profile and its text, by name.
    pub fn profiles(&self) -> impl Iterator<Item = (&str, &str)> {
        self.profiles.iter().map(|(name, text)| (&**name, &**text))
    }

    pub(super) fn push_attribute(
        &mut self,
        kind: EntityKind,
        name: &str,
        of_type: AttributeType,
    ) -> Result<(), SchemaError> {
        let too_many =
            SchemaError::TooMany { what: "attribute", name: name.into(), max: ATTRIBUTES_MAX };
        if self.attribute(kind, name).is_some() {
            return Err(SchemaError::DuplicateAttribute { kind, attribute: name.into() });
        }
        if self.attributes.len() >= ATTRIBUTES_MAX {
            return Err(too_many);
        }
        let id = AttributeId::new(u16::try_from(self.attributes.len()).map_err(|_| too_many)?);
        self.attributes.push(AttributeDefinition { id, name: name.into(), kind, of_type });
        Ok(())
    }

    pub(super) fn put_profile(&mut self, name: &str, text: &str) -> Result<(), SchemaError> {
        if text.len() > PROFILE_BYTES_MAX {
            return Err(SchemaError::ProfileLength {
                profile: name.into(),
                bytes: text.len(),
                max: PROFILE_BYTES_MAX,
            });
        }
        if self.profiles.len() >= PROFILES_MAX && !self.profiles.contains_key(name) {
            let (what, name, max) = ("profile", name.into(), PROFILES_MAX);
            return Err(SchemaError::TooMany { what, name, max });
        }
        self.profiles.insert(name.into(), text.into());
        Ok(())
    }
}
