//! A list of components.

use core::any::type_name;
use core::fmt;
use std::sync::Arc;

use super::component::Component;
use super::descriptor::Descriptor;
use crate::error::{Category, Error, code};

/// Components under their descriptors. Searches go from the component that was put last to the one
/// that was put first, so that a later one stands in for an earlier one.
///
/// What is asked for is a type, mostly a trait object: `get_one_optional::<dyn Discovery>(&locator)`.
/// A component that matches the locator and does not show this face is passed over.
#[derive(Clone, Debug, Default)]
pub struct References {
    entries: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    locator: Descriptor,
    component: Component,
}

impl References {
    /// No components.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a component under a descriptor. Others under the same one stay.
    pub fn put(&mut self, locator: Descriptor, component: impl Into<Component>) {
        self.entries.push(Entry { locator, component: component.into() });
    }

    /// Removes the matching component that was put last, and gives it back.
    pub fn remove(&mut self, locator: &Descriptor) -> Option<Component> {
        let at = self.entries.iter().rposition(|entry| entry.locator.matches(locator))?;
        Some(self.entries.remove(at).component)
    }

    /// Removes all matching components, and gives them back, the last one first.
    pub fn remove_all(&mut self, locator: &Descriptor) -> Vec<Component> {
        core::iter::from_fn(|| self.remove(locator)).collect()
    }

    /// The matching component that was put last.
    #[must_use]
    pub fn get_one_optional<T: ?Sized + Send + Sync + 'static>(
        &self,
        locator: &Descriptor,
    ) -> Option<Arc<T>> {
        self.find(locator).next()
    }

    /// The matching component that was put last.
    ///
    /// # Errors
    /// [`REF_ERROR`](code::REF_ERROR) when there is none; the detail `locator` repeats the locator.
    pub fn get_one_required<T: ?Sized + Send + Sync + 'static>(
        &self,
        locator: &Descriptor,
    ) -> Result<Arc<T>, Error> {
        self.find(locator).next().ok_or_else(|| self.missing::<T>(locator))
    }

    /// All matching components, the last one first.
    #[must_use]
    pub fn get_optional<T: ?Sized + Send + Sync + 'static>(
        &self,
        locator: &Descriptor,
    ) -> Vec<Arc<T>> {
        self.find(locator).collect()
    }

    /// All matching components, the last one first, at least one.
    ///
    /// # Errors
    /// As [`References::get_one_required`].
    pub fn get_required<T: ?Sized + Send + Sync + 'static>(
        &self,
        locator: &Descriptor,
    ) -> Result<Vec<Arc<T>>, Error> {
        let found = self.get_optional(locator);
        if found.is_empty() { Err(self.missing::<T>(locator)) } else { Ok(found) }
    }

    /// All components, in the order in which they were put.
    #[must_use]
    pub fn get_all(&self) -> Vec<Component> {
        self.entries.iter().map(|entry| entry.component.clone()).collect()
    }

    /// All descriptors, in the order in which they were put.
    #[must_use]
    pub fn get_all_locators(&self) -> Vec<Descriptor> {
        self.entries.iter().map(|entry| entry.locator.clone()).collect()
    }

    fn matching(&self, locator: &Descriptor) -> impl Iterator<Item = &Component> {
        let entries = self.entries.iter().rev();
        entries.filter(|entry| entry.locator.matches(locator)).map(|entry| &entry.component)
    }

    fn find<T: ?Sized + Send + Sync + 'static>(
        &self,
        locator: &Descriptor,
    ) -> impl Iterator<Item = Arc<T>> {
        self.matching(locator).filter_map(Component::get::<T>)
    }

    fn missing<T: ?Sized>(&self, locator: &Descriptor) -> Error {
        let face = type_name::<T>();
        let found = self.matching(locator).next().is_some();
        not_found(locator, if found { Some(face) } else { None })
    }
}

/// Nothing is there under `locator`, or nothing that shows this face.
pub(crate) fn not_found(locator: &Descriptor, face: Option<&str>) -> Error {
    let why = match face {
        None => "put one into the references before".to_owned(),
        Some(face) => {
            format!("what is there was not put as {face}; name that face with Component::of")
        }
    };
    let message = format!("Failed to obtain reference to {locator}: {why}");
    Error::new(Category::Internal, code::REF_ERROR, message)
        .with_detail("locator", locator.to_string())
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.locator, self.component)
    }
}
