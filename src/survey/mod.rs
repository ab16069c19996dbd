//! The survey: gathers every fact that the judge asks for, once, from inputs and store.
//!
//! [`idle`] asks first whether anything moved at all; when it did, [`gather`] composes every node
//! from what is on disk, [`facts`] answers the judge, and [`why`] tells verdicts apart from the
//! records they are compared with. [`snapshot`] keeps what was seen for the next time. Of Dockerfiles,
//! [`dockerfiles`] says what counts, [`context`] what of the folder that they copy from, and [`audit`]
//! what is odd about them. [`oracle`] says of one path what it counts for.

pub mod audit;
pub mod context;
pub mod dockerfiles;
pub mod facts;
pub mod gather;
pub mod idle;
pub mod oracle;
pub mod snapshot;
pub mod why;
